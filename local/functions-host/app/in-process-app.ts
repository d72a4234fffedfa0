import type { Log } from '../log.ts';
import type { FunctionApp } from './function-app.ts';
import type { FunctionDescription } from './function-description.ts';
import { findTrigger } from './function-description.ts';
import { runHooks } from './hooks.ts';
import { runInvocation } from './invocation.ts';
import { loadApp } from './loader.ts';
import type { Registry } from './registry.ts';

/** Loads the app into this process: one process less, but a handler that blocks the event loop blocks the host. */
export async function openInProcessApp(appDirectory: string, log: Log): Promise<FunctionApp> {
  const { registry, streamUrl } = await loadApp(appDirectory, log);
  return {
    functions: describeFunctions(registry),
    ...(streamUrl === undefined ? {} : { streamUrl }),
    processId: process.pid,
    invoke: (request) => runInvocation(registry, request, log),
    async stop() {
      await runHooks(registry, 'appTerminate', {}, { hookData: registry.appLevelHookData });
    },
  };
}

/** The registered functions without their code, in order of registration. Callbacks inside bindings are dropped. */
function describeFunctions(registry: Registry): FunctionDescription[] {
  const described: FunctionDescription[] = [];
  for (const { id, name, bindings, retryOptions } of registry.functions.values()) {
    const plain: FunctionDescription['bindings'] = JSON.parse(JSON.stringify(bindings));
    const trigger = findTrigger(plain);
    if (trigger === undefined) throw new Error(`Function "${name}" has no trigger binding.`);
    described.push({
      id,
      name,
      bindings: plain,
      trigger,
      ...(retryOptions === undefined ? {} : { retry: retryOptions }),
    });
  }
  return described;
}
