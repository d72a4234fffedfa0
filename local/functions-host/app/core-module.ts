import Module from 'node:module';
import type { Log } from '../log.ts';
import { logThroughHooks } from './log-hooks.ts';
import type { FunctionCallback, FunctionRegistration, ProgrammingModel } from './programming-model.ts';
import { type HookCallback, hookNames, type Registry } from './registry.ts';

/** An error of the host, not of the app: safe to log, never personal data. */
export function systemError(
  message: string,
  kind: ErrorConstructor | RangeErrorConstructor | TypeErrorConstructor = Error,
): Error {
  return Object.assign(new kind(message), { isAzureFunctionsSystemError: true });
}

/**
 * Makes `require('@azure/functions-core')` answer, as the real worker does: the name is external to the library's
 * bundle and exists on no registry. It is looked up at the first registration, so this runs before any file of the app.
 */
export function installCoreModule(log: Log): Registry {
  const registry: Registry = {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    appHookData: {},
    appLevelHookData: {},
    model: undefined,
    locked: false,
  };
  const core = coreModule(registry, log);
  const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown };
  const load = loader._load;
  loader._load = function (this: unknown, request, ...rest) {
    return request === '@azure/functions-core' ? core : load.call(this, request, ...rest);
  };
  return registry;
}

function coreModule(registry: Registry, log: Log): object {
  return {
    version: '3.11.2',
    hostVersion: '4.1040.0',
    Disposable,
    registerFunction(registration: FunctionRegistration, callback: FunctionCallback) {
      if (registry.locked) throw systemError('A function can only be registered during app startup.');
      const id = registration.functionId ?? registration.name;
      if (registry.functions.has(id)) throw systemError(`A function with id "${id}" has already been registered.`);
      registry.functions.set(id, { ...registration, id, callback });
      return new Disposable(() => registry.functions.delete(id));
    },
    registerHook(name: string, callback: HookCallback) {
      const known = hookNames.find((hook) => hook === name);
      // The library falls back to an older hook on exactly this class of error.
      if (known === undefined) throw systemError(`Unrecognized hook "${name}"`, RangeError);
      const list = registry.hooks[known];
      list.push(callback);
      return new Disposable(() => {
        const at = list.indexOf(callback);
        if (at >= 0) list.splice(at, 1);
      });
    },
    setProgrammingModel(model: ProgrammingModel) {
      registry.model = model;
    },
    getProgrammingModel: () => registry.model,
    log: (level: string, category: string, message: string) =>
      logThroughHooks(registry, log, { level, category, message, source: 'app' }),
  };
}

class Disposable {
  readonly #release: () => void;
  constructor(release: () => void) {
    this.#release = release;
  }
  dispose(): void {
    this.#release();
  }
}
