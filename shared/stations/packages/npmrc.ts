import type { SaveStyle } from './specifier.ts';

/**
 * What is read of a repository's `.npmrc` when packages are resolved: settings that decide *what* is resolved, each with the form
 * its value must have. Nothing else reaches npm: a registry, a token, `script-shell` or `node-options` would decide where from
 * and what runs.
 */
const boolean = /^(?:true|false)?$/;
const allowed: Readonly<Record<string, RegExp>> = {
  'legacy-peer-deps': boolean,
  'strict-peer-deps': boolean,
  'engine-strict': boolean,
  'prefer-dedupe': boolean,
  'install-links': boolean,
  'install-strategy': /^(?:hoisted|nested|shallow|linked)$/,
  'save-exact': boolean,
  'save-prefix': /^(?:\^|~|>=|=)?$/,
  // What pnpm reads from the same file.
  'auto-install-peers': boolean,
  'strict-peer-dependencies': boolean,
  'dedupe-peer-dependents': boolean,
  'resolve-peers-from-workspace-root': boolean,
  'link-workspace-packages': /^(?:true|false|deep)$/,
  'prefer-workspace-packages': boolean,
  'save-workspace-protocol': /^(?:true|false|rolling)$/,
  'shared-workspace-lockfile': boolean,
  'lockfile-include-tarball-url': boolean,
};

const keysTold = 20;

export type NpmSettings = {
  /** Allowed settings by key. */
  readonly taken: Readonly<Record<string, string>>;
  /** Keys that are there and were not taken, without their values, which may be secrets. */
  readonly ignored: readonly string[];
};

/** Reads an `.npmrc` as data (ini: `key = value`, `;` and `#` begin a comment; an array's `[]` counts as the key alone). */
export function readNpmrc(text: string): NpmSettings {
  const taken: Record<string, string> = {};
  const ignored = new Set<string>();
  for (const line of text.split(/\r?\n/)) {
    const stated = /^\s*([^;#=\s][^=]*?)\s*(?:=\s*(.*?))?\s*$/.exec(line);
    if (stated === null) continue;
    const key = (stated[1] ?? '').replace(/\[\]$/, '');
    const value = (stated[2] ?? 'true').replace(/^(["'])(.*)\1$/, '$2');
    const form = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (form?.test(value) === true) taken[key] = value === '' && form === boolean ? 'true' : value;
    else ignored.add(key.replace(/^\/\/.*$/, 'credentials of a registry').slice(0, 100));
  }
  return { taken, ignored: [...ignored].slice(0, keysTold) };
}

/** The settings as npm's environment variables, which outrank every file. */
export function npmVariables({ taken }: NpmSettings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(taken).map(([key, value]) => [`npm_config_${key.replaceAll('-', '_')}`, value]),
  );
}

/** The settings as a file of their own, for a manager that reads some from nowhere else. */
export function npmrcOf({ taken }: NpmSettings): string {
  return Object.entries(taken)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

export function saveStyle({ taken }: NpmSettings): SaveStyle {
  return { exact: taken['save-exact'] === 'true', prefix: taken['save-prefix'] ?? '^' };
}
