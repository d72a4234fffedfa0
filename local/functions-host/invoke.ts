import { randomUUID } from 'node:crypto';
import type { FunctionApp, InvocationResult, NamedData, RetryContext } from './app/function-app.ts';
import type { FunctionDescription } from './app/function-description.ts';
import type { TypedData } from './app/typed-data.ts';
import type { Log, LogLevel } from './log.ts';

/** What a trigger brings to a run. */
export interface Invocation {
  readonly data: TypedData;
  readonly metadata?: Readonly<Record<string, TypedData>>;
  readonly invocationId?: string;
  readonly retryContext?: RetryContext;
}

/** Runs a function once: its other inputs are added, its outputs sent on, its end logged. Rejects when it fails. */
export type Invoke = (description: FunctionDescription, invocation: Invocation) => Promise<InvocationResult>;

export interface InvokeParts {
  readonly app: FunctionApp;
  readonly log: Log;
  /** Milliseconds; null for no limit. */
  readonly timeout: number | null;
  /** Called when a run outlived the limit: its code can't be stopped short of its process. */
  readonly timedOut: (description: FunctionDescription) => void;
  /** The inputs of a function besides its trigger. */
  readonly extraInputs: (description: FunctionDescription) => readonly NamedData[];
  /** Sends what the run put into output bindings. */
  readonly sendOutputs: (description: FunctionDescription, result: InvocationResult) => Promise<void>;
}

/** Thrown when a run exceeds functionTimeout of host.json. */
class FunctionTimeoutError extends Error {
  override name = 'FunctionTimeoutError';
}

export function openInvoke(parts: InvokeParts): Invoke {
  return async (description, { data, metadata, invocationId = randomUUID(), retryContext }) => {
    const began = performance.now();
    const line = (outcome: string) =>
      `Executed 'Functions.${description.name}' (${outcome}, Id=${invocationId}, Duration=${Math.round(performance.now() - began)}ms)`;
    try {
      const run = parts.app.invoke({
        functionId: description.id,
        invocationId,
        inputs: [{ name: description.trigger.name, data }, ...parts.extraInputs(description)],
        triggerMetadata: metadata ?? {},
        ...(retryContext === undefined ? {} : { retryContext }),
      });
      const result = await withTimeout(run, parts, description);
      if (result.outputs.length > 0 || description.bindings['$return'] !== undefined) {
        await parts.sendOutputs(description, result);
      }
      parts.log(successLevel(description), 'Host', line('Succeeded'));
      return result;
    } catch (error) {
      // An orchestrator's failure carries its whole state and is reported, with its instance, by the engine.
      if (description.trigger.type === 'orchestrationTrigger') throw error;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      parts.log('error', 'Host', `${line('Failed')} ${text}`);
      throw error;
    }
  };
}

/** Turns and activities run many times an instance: they are no news. */
function successLevel(description: FunctionDescription): LogLevel {
  return /^(orchestration|activity)Trigger$/i.test(description.trigger.type) ? 'debug' : 'information';
}

async function withTimeout<Result>(
  run: Promise<Result>,
  parts: InvokeParts,
  description: FunctionDescription,
): Promise<Result> {
  const { timeout } = parts;
  if (timeout === null) return run;
  const expiry = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    parts.timedOut(description);
    expiry.reject(
      new FunctionTimeoutError(`'${description.name}' ran longer than functionTimeout of host.json (${timeout} ms).`),
    );
  }, timeout);
  try {
    return await Promise.race([run, expiry.promise]);
  } finally {
    clearTimeout(timer);
  }
}
