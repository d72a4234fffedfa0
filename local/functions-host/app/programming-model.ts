import type { InvocationRequest, NamedData } from './function-app.ts';
import type { BindingDescription, RetryPolicy } from './function-description.ts';
import type { TypedData } from './typed-data.ts';

/** A handler as the app registered it. */
export type FunctionCallback = (...inputs: unknown[]) => unknown;

/** What an app hands over when it registers a function. */
export interface FunctionRegistration {
  readonly functionId?: string;
  readonly name: string;
  readonly bindings: Record<string, BindingDescription>;
  readonly retryOptions?: RetryPolicy;
}

/** The context the worker core hands to the programming model for one invocation. */
export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: FunctionRegistration;
  readonly request: Omit<InvocationRequest, 'inputs'> & {
    readonly inputData: readonly NamedData[];
    readonly traceContext: { readonly traceParent: string; readonly traceState: string; readonly attributes: object };
  };
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: string, category: string, message: string): void;
}

/** One invocation, as `@azure/functions` implements it. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(
    context: unknown,
    result: unknown,
  ): Promise<{ readonly returnValue?: TypedData | null; readonly outputData?: readonly NamedData[] }>;
}

/** What `@azure/functions` installs through `setProgrammingModel`. */
export interface ProgrammingModel {
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities?(defaults: Record<string, string>): Promise<Record<string, string>>;
}
