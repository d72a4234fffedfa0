import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import type { Facts } from '../domain/job/outcome.ts';
import type { LineName } from '../domain/packet/line-input.ts';
import type { Packet } from '../domain/packet/schema.ts';
import type { TaskContext } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import type { TreeId } from '../sandbox/git/object-id.ts';
import type { Snapshot } from './work/base.ts';
import type { PlannedChange } from './write-plan.ts';

/** What a station works with inside one job. */
export type StationWork = {
  readonly context: TaskContext;
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  readonly base: Snapshot;
  readonly driver: SandboxDriver;
};

/** What a station found that it would change, or why a person has to look first. */
export type Intention =
  | {
      readonly verdict: 'ok';
      readonly changes: readonly PlannedChange[];
      readonly decisions: readonly string[];
      readonly importedPackage?: string;
      readonly facts?: Partial<Facts>;
      /** What of it the packet does not allow, beside paths: a question to a person. */
      readonly outOfScope?: string;
    }
  | { readonly verdict: 'needs_human'; readonly code: string; readonly question: string }
  | { readonly verdict: 'not_applicable'; readonly summary: string };

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/**
 * One deterministic station. It proposes: nothing it says is trusted, the verifier measures again under another identity.
 */
export type Station = {
  readonly name: LineName;
  /** Whether this machine has what the station needs; asked before any work. */
  probe(driver: SandboxDriver): Promise<Readiness>;
  /** The program that it makes its change with and that program's version, as evidence names it. */
  tool(work: StationWork): Promise<string>;
  /** What would change and why, read from the repository. */
  intend(work: StationWork): Promise<Intention>;
  /** Makes the changed tree in the base's repository. Throws a `SandboxRefusal` or `TaskFailure` when it can't. */
  implement(work: StationWork): Promise<TreeId>;
};
