import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { NpmRegistry } from './npm-registry.ts';

const run = promisify(execFile);
const modules = join(import.meta.dirname, '../../node_modules');

/** A package manager of node_modules as a person runs it in a folder of files. */
export type ByHand = {
  write(files: Readonly<Record<string, string>>): void;
  read(path: string): string;
  run(...argv: string[]): Promise<void>;
};

export function byHand(directory: string, script: string, registry: NpmRegistry): ByHand {
  mkdirSync(directory, { recursive: true });
  const home = `${directory}-home`;
  const settings = { registry: registry.url, store_dir: join(home, 'store'), cache_dir: join(home, 'cache') };
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    CI: '1',
    ...Object.fromEntries(
      Object.entries(settings).flatMap(([key, value]) => [
        [`npm_config_${key}`, value],
        [`pnpm_config_${key}`, value],
      ]),
    ),
    npm_config_manage_package_manager_versions: 'false',
    pnpm_config_pm_on_fail: 'ignore',
    YARN_REGISTRY: registry.url,
    YARN_NPM_REGISTRY_SERVER: registry.url.slice(0, -1),
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_IGNORE_PATH: '1',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: '0',
  };
  return {
    write: (files) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text);
      }
    },
    read: (path) => readFileSync(join(directory, path), 'utf8'),
    run: async (...argv) => {
      await run(process.execPath, [join(modules, script), ...argv], { cwd: directory, env });
    },
  };
}

/** Answers for a package as if only some of its versions had been published yet, until it is asked to stop. */
export async function before(registry: NpmRegistry, name: string, versions: readonly string[]): Promise<() => void> {
  registry.answers.delete(name);
  const document = (await (await fetch(registry.url + name)).json()) as { versions: Record<string, unknown> };
  const known = Object.fromEntries(Object.entries(document.versions).filter(([version]) => versions.includes(version)));
  const body = JSON.stringify({ ...document, 'dist-tags': { latest: versions.at(-1) }, versions: known });
  registry.answers.set(name, {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode(body),
  });
  return () => registry.answers.delete(name);
}
