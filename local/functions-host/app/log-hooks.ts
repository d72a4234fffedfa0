import type { Log, LogLevel } from '../log.ts';
import { parseLogLevel } from '../log.ts';
import type { Registry } from './registry.ts';

/** What the log hooks of one invocation share with its other hooks. */
export interface LogScope {
  readonly hookData: object;
  /** Absent until the invocation's arguments are read. */
  invocationContext?: unknown;
}

/** A record on its way to the log. */
export interface AppRecord {
  readonly level: string;
  /** `user` for what the app says, `system` for what the library says of it. */
  readonly category: string;
  readonly message: string;
  /** What of the app speaks. */
  readonly source: string;
  /** Absent outside an invocation. */
  readonly scope?: LogScope;
}

/** Registries whose log hooks are running: what a hook itself logs passes by the hooks. */
const running = new WeakSet<Registry>();

/**
 * Shows a record to the app's log hooks, which may change level and message of what the app said, and logs it. As in the
 * real worker, hooks run at once and are not awaited, and one that throws keeps no record from the log.
 */
export function logThroughHooks(registry: Registry, log: Log, record: AppRecord): void {
  const { source, category, scope } = record;
  const seen = { level: record.level, message: record.message };
  if (registry.hooks.log.length > 0 && !running.has(registry)) {
    running.add(registry);
    try {
      runLogHooks(registry, seen, { category, hookData: scope?.hookData ?? {}, context: scope?.invocationContext });
    } catch {
      // The record is logged as far as the hooks got.
    } finally {
      running.delete(registry);
    }
  }
  const { level, message } = category === 'user' ? seen : record;
  log(toLevel(level), source, String(message));
}

function runLogHooks(
  registry: Registry,
  seen: { level: string; message: string },
  fixed: { readonly category: string; readonly hookData: object; readonly context: unknown },
): void {
  const context = Object.defineProperties(seen, {
    category: { value: fixed.category, enumerable: true },
    hookData: { value: fixed.hookData, enumerable: true },
    appHookData: { value: registry.appHookData, enumerable: true },
    invocationContext: { value: fixed.context, enumerable: true },
  });
  for (const hook of [...registry.hooks.log]) hook(context);
}

/** The protocol's levels are the host's own; an unknown one is kept visible. */
function toLevel(level: string): LogLevel {
  return parseLogLevel(level) ?? 'information';
}
