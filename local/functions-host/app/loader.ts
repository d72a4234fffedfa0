import { pathToFileURL } from 'node:url';
import type { Log } from '../log.ts';
import { installCoreModule } from './core-module.ts';
import { findEntryFiles } from './entry-files.ts';
import { runHooks } from './hooks.ts';
import type { Registry } from './registry.ts';

export interface LoadedApp {
  readonly registry: Registry;
  readonly streamUrl?: string;
}

/** What this host can carry; the programming model answers with what the app asked for (HTTP streams, for one). */
const capabilities = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  TypedDataCollection: 'true',
};

/**
 * Loads the app's files in this process, whose working directory becomes the app's as on Azure, and runs its appStart
 * hooks. A file that fails to load is fatal.
 */
export async function loadApp(appDirectory: string, log: Log): Promise<LoadedApp> {
  const files = findEntryFiles(appDirectory);
  process.chdir(appDirectory);
  const registry = installCoreModule(log);
  for (const file of files) {
    await import(pathToFileURL(file).href);
  }
  await runHooks(registry, 'appStart', { functionAppDirectory: appDirectory }, { hookData: registry.appLevelHookData });
  const agreed = (await registry.model?.getCapabilities?.({ ...capabilities })) ?? capabilities;
  registry.locked = true;
  const streamUrl = 'HttpUri' in agreed ? agreed['HttpUri'] : undefined;
  return { registry, ...(streamUrl === undefined ? {} : { streamUrl }) };
}
