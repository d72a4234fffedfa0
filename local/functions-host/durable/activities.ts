import type { FunctionDescription } from '../app/function-description.ts';
import { typedDataToJson } from '../app/typed-data.ts';
import type { Invoke } from '../invoke.ts';
import type { OpenTask } from '../store/hub-store.ts';
import type { HistoryEvent } from './history.ts';
import { EventType, eventBase } from './history.ts';

/** Runs one activity and gives the event that ends its task. Never rejects: a failure is an event too. */
export async function runActivity(
  invoke: Invoke,
  activity: FunctionDescription | undefined,
  instanceId: string,
  task: OpenTask,
  now: () => number,
): Promise<HistoryEvent> {
  const end = () => ({ ...eventBase(new Date(now()).toISOString()), TaskScheduledId: task.taskId });
  const fail = (reason: string, details: string) => ({
    ...end(),
    EventType: EventType.TaskFailed,
    Reason: `Activity function '${task.name}' failed: ${reason}`,
    Details: details,
  });
  if (activity === undefined) return fail(`no activity function of that name is registered`, '');
  try {
    const { returnValue } = await invoke(activity, {
      data: task.input === null ? {} : { string: task.input },
      metadata: { instanceId: { string: instanceId } },
    });
    return { ...end(), EventType: EventType.TaskCompleted, Result: typedDataToJson(returnValue) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const structured = parseStructuredFailure(error.message);
    if (structured === undefined) return fail(error.message, error.stack ?? '');
    return { ...fail(structured.errorMessage, error.stack ?? ''), FailureDetails: toFailureDetails(structured) };
  }
}

/** What durable-functions puts in the error's message when the app has an exception properties provider. */
interface StructuredFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace?: string;
  readonly isNonRetriable?: boolean;
  readonly properties?: unknown;
  readonly innerFailure?: StructuredFailure;
}

function parseStructuredFailure(message: string): StructuredFailure | undefined {
  if (!message.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(message);
    return isStructuredFailure(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isStructuredFailure(value: unknown): value is StructuredFailure {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'errorType' in value &&
    typeof value.errorType === 'string' &&
    'errorMessage' in value &&
    typeof value.errorMessage === 'string'
  );
}

function toFailureDetails(failure: StructuredFailure): object {
  return {
    ErrorType: failure.errorType,
    ErrorMessage: failure.errorMessage,
    StackTrace: failure.stackTrace,
    IsNonRetriable: failure.isNonRetriable === true,
    Properties: failure.properties,
    ...(failure.innerFailure === undefined ? {} : { InnerFailure: toFailureDetails(failure.innerFailure) }),
  };
}
