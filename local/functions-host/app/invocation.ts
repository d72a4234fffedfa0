import { numberState } from '../durable/v3/numbered-state.ts';
import type { Log } from '../log.ts';
import { systemError } from './core-module.ts';
import type { InvocationRequest, InvocationResult } from './function-app.ts';
import { findTrigger } from './function-description.ts';
import { runHooks } from './hooks.ts';
import type { LogScope } from './log-hooks.ts';
import { logThroughHooks } from './log-hooks.ts';
import type { CoreInvocationContext, FunctionCallback } from './programming-model.ts';
import type { RegisteredFunction, Registry } from './registry.ts';

/** Runs one invocation through the app's programming model, in the order of the real worker's InvocationHandler. */
export async function runInvocation(
  registry: Registry,
  request: InvocationRequest,
  log: Log,
): Promise<InvocationResult> {
  const registered = registry.functions.get(request.functionId);
  if (registered === undefined) throw systemError(`No function with id "${request.functionId}" is registered.`);
  if (registry.model === undefined) throw systemError('The app registered no programming model.');
  const scope: LogScope = { hookData: {} };
  const core = coreContext(registry, registered, request, scope, log);
  const invocation = await registry.model.getInvocationModel(core);
  const { context, inputs } = await invocation.getArguments();

  scope.invocationContext = context;
  const shared = { hookData: scope.hookData, invocationContext: context };
  const hooked = registry.hooks.preInvocation.length + registry.hooks.postInvocation.length > 0;
  let callback = registered.callback;
  let finalInputs = inputs;
  if (hooked) {
    core.state = 'preInvocationHooks';
    const before = await runHooks(registry, 'preInvocation', { functionCallback: callback, inputs }, shared);
    if (typeof before['functionCallback'] === 'function') callback = before['functionCallback'] as FunctionCallback;
    if (Array.isArray(before['inputs'])) finalInputs = before['inputs'];
  }

  core.state = 'invocation';
  let result: unknown;
  let error: unknown;
  try {
    result = await invocation.invokeFunction(context, finalInputs, callback);
  } catch (thrown) {
    error = thrown ?? new Error('The function threw no error value.');
  }
  if (hooked) {
    core.state = 'postInvocationHooks';
    const outcome = { inputs: finalInputs, result: result ?? null, error: error ?? null };
    const after = await runHooks(registry, 'postInvocation', outcome, shared);
    result = after['result'];
    error = after['error'] ?? undefined;
  }
  core.state = undefined;
  if (error !== undefined) throw error;

  // The raw state, not its JSON: only object identity tells a task yielded again from a new task like it.
  if (findTrigger(registered.bindings)?.type === 'orchestrationTrigger') {
    return { outputs: [], empty: false, orchestratorState: numberState(result) };
  }
  const response = await invocation.getResponse(context, result);
  return {
    returnValue: response.returnValue ?? null,
    outputs: response.outputData ?? [],
    empty: result === undefined || result === null,
  };
}

function coreContext(
  registry: Registry,
  registered: RegisteredFunction,
  request: InvocationRequest,
  scope: LogScope,
  log: Log,
): CoreInvocationContext {
  const { inputs, ...rest } = request;
  const traceContext = { traceParent: '', traceState: '', attributes: {} };
  return {
    invocationId: request.invocationId,
    metadata: registered,
    request: { ...rest, inputData: inputs, traceContext },
    state: undefined,
    log: (level, category, message) =>
      logThroughHooks(registry, log, { level, category, message, source: `Function.${registered.name}`, scope }),
  };
}
