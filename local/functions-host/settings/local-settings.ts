import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from './host-json.ts';

/** Puts `Values` of local.settings.json into `environment`; what is set there already wins, as with Core Tools. */
export function applyLocalSettings(appDirectory: string, environment: NodeJS.ProcessEnv): void {
  const file = path.join(appDirectory, 'local.settings.json');
  if (!existsSync(file)) return;
  const parsed = parseJson(file);
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`${file} must hold an object.`);
  if ('IsEncrypted' in parsed && parsed.IsEncrypted === true) {
    throw new Error(`${file} is encrypted, which only the tool that wrote it can read. Decrypt it first.`);
  }
  const values = 'Values' in parsed && typeof parsed.Values === 'object' && parsed.Values !== null ? parsed.Values : {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string') throw new Error(`${file}: Values.${name} must be text.`);
    environment[name] ??= value;
  }
}

/** Replaces `%NAME%` in a binding option by the app setting of that name. Throws when it is not set. */
export function resolveSetting(text: string, environment: NodeJS.ProcessEnv): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = environment[name];
    if (value === undefined) throw new Error(`The app setting "${name}", named by "${text}", is not set.`);
    return value;
  });
}

/** Whether `AzureWebJobs.<name>.Disabled` turns a function off. */
export function isDisabled(functionName: string, environment: NodeJS.ProcessEnv): boolean {
  const value =
    environment[`AzureWebJobs.${functionName}.Disabled`] ?? environment[`AzureWebJobs__${functionName}__Disabled`];
  return value !== undefined && /^(true|1)$/i.test(value);
}
