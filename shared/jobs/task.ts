import type { Failure } from '../domain/failure.ts';
import type { Outcome } from '../domain/job/outcome.ts';
import type { EventName } from '../telemetry/events.ts';
import type {
  ArtifactKind,
  ArtifactReference,
  ClaimAnswer,
  EffectAnswer,
  EffectEventName,
  IntendBody,
} from './protocol.ts';

/**
 * What a task handler is given: the claim, its inputs by name, a place to put outputs, a signal that fires before the lease
 * can expire. A handler is a function; it holds nothing between jobs.
 */
export type TaskContext = {
  readonly claim: ClaimAnswer;
  /** Fires when the lease is lost, about to expire, the job timed out or the process is stopping: stop at once, kill everything started. */
  readonly signal: AbortSignal;
  /** A private directory of this job and epoch, empty at the start, removed at the end. */
  readonly directory: string;
  /** Bytes of an input by its name; throws a `Failure`-carrying error when there is no such input. For large ones use `inputFile`. */
  input(name: string): Promise<Uint8Array>;
  /** The input written to a file under `directory`; digest verified while it streams. */
  inputFile(name: string): Promise<string>;
  hasInput(name: string): boolean;
  /**
   * Puts out bytes or a file under this lease and returns its reference; the digest is of the plaintext. A file and what is large is
   * uploaded now; a few bytes travel with the job's report.
   */
  output(
    output:
      | { name: string; kind: ArtifactKind; mediaType: string; bytes: Uint8Array | string }
      | { name: string; kind: ArtifactKind; mediaType: string; file: string },
  ): Promise<ArtifactReference>;
  /** Only in pool `effect`. */
  intendEffect(body: IntendBody): Promise<EffectAnswer>;
  recordEffect(effect: string, event: EffectEventName, observed: string): Promise<EffectAnswer>;
  log(event: EventName, fields?: Record<string, string | number | boolean>): void;
};

/** Outputs given to `output` are named in the completion (or failure) by the worker itself. */
export type TaskResult = { readonly outcome: Outcome } | { readonly failure: Failure };
export type TaskHandler = (context: TaskContext) => Promise<TaskResult>;

/** An error that carries its failure; any other error thrown by a handler becomes retryable `environment`. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind === 'needs_human' ? failure.question : failure.message);
    this.failure = failure;
  }
}
