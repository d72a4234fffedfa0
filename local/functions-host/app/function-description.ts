/** A binding as the programming model registers it; further options depend on its type. */
export interface BindingDescription {
  readonly type: string;
  readonly name: string;
  readonly direction?: 'in' | 'out' | 'inout';
  readonly [option: string]: unknown;
}

/** A length of time as the protocol writes it. */
export interface ProtocolDuration {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** A function's retry policy; a `maxRetryCount` of -1 retries for ever. */
export interface RetryPolicy {
  readonly retryStrategy: string | number;
  readonly maxRetryCount: number;
  readonly delayInterval?: ProtocolDuration;
  readonly minimumInterval?: ProtocolDuration;
  readonly maximumInterval?: ProtocolDuration;
}

/** A function the app registered, without its code: what the host needs to route to it. */
export interface FunctionDescription {
  readonly id: string;
  readonly name: string;
  readonly bindings: Readonly<Record<string, BindingDescription>>;
  readonly trigger: BindingDescription;
  readonly retry?: RetryPolicy;
}

/** The one binding whose type ends in "Trigger"; the programming model never registers a function without it. */
export function findTrigger(bindings: Readonly<Record<string, BindingDescription>>): BindingDescription | undefined {
  for (const [name, binding] of Object.entries(bindings)) {
    if (/trigger$/i.test(binding.type)) return { ...binding, name };
  }
  return undefined;
}

/** The trigger's type in lower case, so that `httpTrigger` and `HttpTrigger` are one. */
export function triggerType(description: FunctionDescription): string {
  return description.trigger.type.toLowerCase();
}

/** A binding option that must be text; undefined when the app did not set it. */
export function textOption(binding: BindingDescription, option: string): string | undefined {
  const value = binding[option];
  return typeof value === 'string' ? value : undefined;
}
