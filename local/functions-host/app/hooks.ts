import { systemError } from './core-module.ts';
import type { HookName, Registry } from './registry.ts';

/** Runs the hooks of one kind in order of registration; the first that throws ends the run. */
export async function runHooks(
  registry: Registry,
  name: HookName,
  properties: Record<string, unknown>,
  readOnly: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const context = { ...properties };
  for (const [key, value] of Object.entries({ hookData: {}, ...readOnly, appHookData: registry.appHookData })) {
    Object.defineProperty(context, key, {
      enumerable: true,
      get: () => value,
      set() {
        throw systemError(`Cannot assign to read only property '${key}'`, TypeError);
      },
    });
  }
  for (const hook of [...registry.hooks[name]]) await hook(context);
  return context;
}
