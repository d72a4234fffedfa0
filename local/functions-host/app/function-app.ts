import type { NumberedState } from '../durable/v3/numbered-state.ts';
import type { FunctionDescription } from './function-description.ts';
import type { TypedData } from './typed-data.ts';

/** A named value: an input on the way in, an output binding on the way out. */
export interface NamedData {
  readonly name: string;
  readonly data: TypedData;
}

/** Tells a re-run under a retry policy which attempt it is. */
export interface RetryContext {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception?: { readonly message: string };
}

/** One run of one function. */
export interface InvocationRequest {
  readonly functionId: string;
  readonly invocationId: string;
  readonly inputs: readonly NamedData[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly retryContext?: RetryContext;
}

/** What a run gave back. An orchestrator gives its state instead of a value. */
export interface InvocationResult {
  readonly returnValue?: TypedData | null;
  readonly outputs: readonly NamedData[];
  /** The handler gave nothing back: of an HTTP function in stream mode the host alone can answer then. */
  readonly empty: boolean;
  readonly orchestratorState?: NumberedState;
}

/** A loaded app, wherever it runs. `invoke` rejects with the handler's error. */
export interface FunctionApp {
  readonly functions: readonly FunctionDescription[];
  /** Where the library's own proxy takes HTTP requests; undefined unless the app asked for HTTP streams. */
  readonly streamUrl?: string;
  /** The process the app runs in. */
  readonly processId: number;
  invoke(request: InvocationRequest): Promise<InvocationResult>;
  /** Runs the appTerminate hooks and ends the app's process when it has its own. */
  stop(): Promise<void>;
}
