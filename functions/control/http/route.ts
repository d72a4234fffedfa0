import type { z } from 'zod';
import type { Digest } from '../../../shared/domain/digest.ts';
import type { Id, IdKind } from '../../../shared/domain/ids.ts';
import type { Action, ResourceOf } from '../../../shared/gates/policy/actions.ts';
import type { WorkerRole } from '../../../shared/jobs/protocol.ts';
import type { Actor } from '../../../shared/line/context.ts';
import type { Plane } from '../plane.ts';

/**
 * Who may call a route. `policy`: Cedar decides `action`, asked by the route itself (`by: 'route'`, and no answer leaves when it
 * did not ask) or inside the command's transaction. `worker`: a worker role; pool and lease are checked by the command.
 * `self`: anybody with an identity, about themselves. `public`: anybody, with the reason why that is right.
 */
export type Access =
  | { readonly kind: 'policy'; readonly action: Action; readonly by: 'route' | 'command' }
  | { readonly kind: 'worker'; readonly roles: readonly WorkerRole[] }
  | { readonly kind: 'self' }
  | { readonly kind: 'public'; readonly because: string };

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
};

/** One call of a route, checked: its caller, its ids, its query and body. */
export type Call<B = unknown, Q = unknown> = {
  readonly plane: Plane;
  /** Throws on a public route: nobody has proved who they are there. */
  readonly actor: Actor;
  readonly body: B;
  readonly query: Q;
  readonly headers: Headers;
  /** Asked by HEAD: only what a GET would say in its headers is answered. */
  readonly head: boolean;
  /** The raw body, for routes that read it themselves; at most `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  /** Waits for something that others do: meanwhile another call works in this one's place. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
  /** A path parameter as it came. */
  parameter(name: string): string;
  /** A path parameter as an id; 404 when it is none, since a malformed id names nothing. */
  id<K extends IdKind>(kind: K, name: string): Id<K>;
  digest(name: string): Digest;
  /** The lease token of the `factory-lease` header; 401 `FACTORY-LEASE-MISSING` without one. */
  leaseToken(): string;
  /** Asks the policy for this route's action; 404 for reads and 403 otherwise when it refuses. */
  permit<A extends Action>(action: A, definitions: Digest | null, resource: ResourceOf<A>, what: string): Promise<void>;
  /** As `permit`, with the decision as a value: for lists, which leave out what may not be seen. */
  allows<A extends Action>(action: A, definitions: Digest | null, resource: ResourceOf<A>): Promise<boolean>;
};

export type RouteDefinition<B, Q> = {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/api/v1` unless `root` is set; parameters in braces. */
  readonly path: string;
  readonly root?: true;
  /** Name of the function: letters, digits and hyphens. */
  readonly name: string;
  readonly summary: string;
  readonly access: Access;
  /** Commits something, so that it needs the durable client to tell orchestrators. */
  readonly commits?: true;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Bytes of a body, where it may have more than others. */
  readonly bodyBytes?: number;
  /** Media types of a body that the route reads itself. */
  readonly raw?: readonly string[];
  /** Header parameters it understands, for the description of the API. */
  readonly headers?: Readonly<Record<string, { readonly required: boolean; readonly description: string }>>;
  /** What it answers: a schema of the JSON, or words when it is no JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>;
  handle(call: Call<B, Q>): Promise<Answer>;
};
export type Route = RouteDefinition<unknown, unknown>;

/** Checks a route's types and forgets them, so that all routes fit one table. */
export function route<B = undefined, Q = undefined>(definition: RouteDefinition<B, Q>): Route {
  return definition as unknown as Route;
}

/** The path a route is served at. */
export const pathOf = (of: Pick<Route, 'path' | 'root'>): string => (of.root === true ? of.path : `/api/v1${of.path}`);

export const ok = (json: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  json,
  headers,
});
