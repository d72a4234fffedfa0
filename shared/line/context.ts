import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import type { PriceTable } from '../domain/cost/price-table.ts';
import type { Digest } from '../domain/digest.ts';
import type { Id, IdKind, TenantId } from '../domain/ids.ts';
import type { Packet } from '../domain/packet/schema.ts';
import type { Role } from '../gates/policy/actions.ts';
import type { PolicyEngine } from '../gates/policy/engine.ts';
import type { LineGraph } from './graph.ts';

/** A definitions bundle in memory: its product lines and its policy. */
export type LoadedDefinitions = {
  readonly digest: Digest;
  readonly version: string;
  readonly lines: ReadonlyMap<string, { readonly digest: Digest; readonly graph: LineGraph }>;
  readonly policy: PolicyEngine;
};

/** Pinned documents a command needs in memory while it runs. They live as artifacts; the plane loads one and runs the command again when it is not at hand. */
export type Documents = {
  definitions(digest: Digest): LoadedDefinitions;
  declaration(digest: Digest): ApplicationDeclaration;
  packet(digest: Digest): Packet;
};

/** Thrown by `Documents` when a document must be loaded first; the command changed nothing and is run again. */
export class DocumentNotLoaded extends Error {
  override readonly name = 'DocumentNotLoaded';
  readonly kind: keyof Documents;
  readonly digest: Digest;
  constructor(kind: keyof Documents, digest: Digest) {
    super(`the ${kind} ${digest} is not in memory yet`);
    this.kind = kind;
    this.digest = digest;
  }
}

/** What every command of the plane is given. */
export type PlaneContext = {
  readonly tenant: TenantId;
  readonly documents: Documents;
  /** Definitions whose policy holds where an application has none installed yet. */
  readonly baseline: Digest;
  readonly leaseMs: number;
  readonly hintIntervalMs: number;
  readonly outboxClaimMs: number;
  /** What a second under a lease costs; without a table nothing costs anything. */
  readonly prices: PriceTable | undefined;
  /** Secret that lease tokens are made under. */
  readonly leaseSecret: Uint8Array;
  /** Opened anew by a database restore; a token of an earlier incarnation is stale. */
  readonly incarnation: string;
  newId<K extends IdKind>(kind: K, atMs: number): Id<K>;
};

/** Who acts: a person or a worker, as the access token said and SQL knows them. */
export type Actor = {
  readonly principal: string;
  readonly kind: 'User' | 'Worker';
  readonly name: string;
  /** Roles that hold in the whole tenant. */
  readonly roles: readonly Role[];
  /** Roles that hold for one application only, by its id. */
  readonly applicationRoles?: ReadonlyMap<string, readonly Role[]>;
  /** When the person proved who they are, epoch milliseconds; for gates that ask for fresh authentication. */
  readonly authenticatedAt: number;
};

/** The plane itself: relay, sweepers and orchestrators. */
export const PLANE: Actor = { principal: 'plane', kind: 'Worker', name: 'plane', roles: [], authenticatedAt: 0 };
