/** Action types of the out-of-process protocol v3, as durable-functions 3.5 numbers them. */
export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  ScheduledSignalEntity: 10,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

/** How an activity is tried again. Times are milliseconds. */
export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number;
  readonly maxRetryIntervalInMilliseconds?: number;
}

/**
 * An action with the number of the object it was: actions with the same `ref` are the same task, however often yielded.
 * Only the fields of its type are set.
 */
export interface NumberedAction {
  readonly actionType: number;
  readonly ref: number;
  readonly functionName?: string;
  readonly input?: unknown;
  readonly retryOptions?: RetryOptions;
  readonly fireAt?: string;
  readonly isCanceled?: boolean;
  readonly externalEventName?: string;
  readonly compoundActions?: readonly NumberedAction[];
}

/** What this host does not carry yet, by action type; the words end a refusal. */
export const unsupportedActions: ReadonlyMap<number, string> = new Map([
  [ActionType.CallSubOrchestrator, 'sub-orchestrations'],
  [ActionType.CallSubOrchestratorWithRetry, 'sub-orchestrations'],
  [ActionType.CallEntity, 'calling an entity'],
  [ActionType.CallHttp, 'callHttp'],
  [ActionType.SignalEntity, 'signalling an entity'],
  [ActionType.ScheduledSignalEntity, 'signalling an entity'],
  [ActionType.LockEntities, 'entity locks'],
  [ActionType.ReleaseEntities, 'entity locks'],
]);
