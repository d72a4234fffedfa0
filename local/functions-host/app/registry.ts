import type { FunctionCallback, FunctionRegistration, ProgrammingModel } from './programming-model.ts';

/** A hook as the app registered it. */
export type HookCallback = (context: object) => unknown;

export const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const;
export type HookName = (typeof hookNames)[number];

export interface RegisteredFunction extends FunctionRegistration {
  readonly id: string;
  readonly callback: FunctionCallback;
}

/** Everything the app registered, filled while its files load. */
export interface Registry {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Record<HookName, HookCallback[]>;
  /** Shared by all hooks, as `appHookData`. */
  readonly appHookData: object;
  /** The `hookData` of appStart and appTerminate hooks. */
  readonly appLevelHookData: object;
  model: ProgrammingModel | undefined;
  /** Set once the app has loaded: a function registered later would never be routed to. */
  locked: boolean;
}
