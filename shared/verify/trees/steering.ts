import { posix } from 'node:path';
import { parse } from 'smol-toml';
import { canonicalJson } from '../../domain/digest.ts';
import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { DiffEntry } from '../../sandbox/git/diff.ts';

const manifestBytes = 4 * 1024 * 1024;

/** The parts of a manifest that decide what a command such as `npm test` or `make check` really runs, by their names. */
type Steering = (text: string) => Readonly<Record<string, unknown>>;

const UNREADABLE = { whole: 'not to be read' } as const;

/** Parts of a package.json; `wireit` and `nx` run scripts of their own. */
const PACKAGE_KEYS = [
  'scripts',
  'jest',
  'vitest',
  'mocha',
  'ava',
  'tap',
  'c8',
  'nyc',
  'jasmine',
  'karma',
  'wireit',
  'nx',
  'tsd',
  'testem',
] as const;

const packageJson: Steering = (text) => {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return UNREADABLE;
    const manifest = value as Record<string, unknown>;
    return Object.fromEntries(PACKAGE_KEYS.filter((key) => key in manifest).map((key) => [key, manifest[key]]));
  } catch {
    // Then no package manager reads it either. A change from or to that shows.
    return UNREADABLE;
  }
};

/** Tools of a pyproject.toml that run tests or name commands. */
const PYTHON_TOOLS = [
  'pytest',
  'tox',
  'nox',
  'hatch',
  'poe',
  'taskipy',
  'pdm',
  'unittest',
  'nose2',
  'coverage',
] as const;

const pyproject: Steering = (text) => {
  try {
    const { tool = {} } = parse(text) as { tool?: Record<string, unknown> };
    return Object.fromEntries(PYTHON_TOOLS.filter((key) => key in tool).map((key) => [`tool.${key}`, tool[key]]));
  } catch {
    return UNREADABLE;
  }
};

/** Sections of a setup.cfg, in ini form (`[tool:pytest]`, `[tox:tox]`, `[testenv]`, `[aliases]`). */
const setupCfg: Steering = (text) => {
  const parts: Record<string, string> = {};
  for (const section of text.split(/^(?=\[)/m)) {
    const [, name = ''] = /^\[([^\]\n]*)\]/.exec(section) ?? [];
    if (/^(?:tool:pytest|pytest|tox|testenv|aliases|coverage|nosetests|unittest)(?::|$)/.test(name))
      parts[name] = section.trim();
  }
  return parts;
};

/** What of a pom.xml decides which tests run: its build, its profiles, and the properties that skip or select tests. */
const pom: Steering = (text) => ({
  build: [...text.matchAll(/<build>[\s\S]*?<\/build>/g)].map(([part]) => part),
  profiles: [...text.matchAll(/<profiles>[\s\S]*?<\/profiles>/g)].map(([part]) => part),
  properties: [
    ...text.matchAll(/<(?:[\w.]*skip[\w.]*|test|tests|groups|excludedGroups|surefire[\w.]*)>[^<]*<\//gi),
  ].map(([part]) => part),
});

const ALWAYS: Readonly<Record<string, Steering>> = {
  'package.json': packageJson,
  'pyproject.toml': pyproject,
  'setup.cfg': setupCfg,
  'pom.xml': pom,
};

/** The steering parts of a manifest at a path, by their names; undefined for a file that is none. Pure. */
export const steeringParts = (path: string, text: string): Readonly<Record<string, unknown>> | undefined =>
  ALWAYS[posix.basename(path)]?.(text);

/** Build files that hold the commands behind a program: any change to one counts where a command of the application or packet runs it. */
const BEHIND: readonly (readonly [RegExp, RegExp])[] = [
  [/^g?make$/, /(?:^|\/)(?:(?:GNU)?[Mm]akefile(?:\.\w+)?|[^/]+\.mk)$/],
  [/^just$/, /(?:^|\/)\.?justfile$/i],
  [/^task$/, /(?:^|\/)taskfile\.ya?ml$/i],
  [/^(?:rake|bundle)$/, /(?:^|\/)rakefile(?:\.rb)?$|\.rake$/i],
  [/^(?:ctest|cmake|ninja)$/, /(?:^|\/)CMakeLists\.txt$|\.cmake$/],
  [/^(?:gradle|gradlew|gradlew\.bat)$/, /\.gradle(?:\.kts)?$|(?:^|\/)gradle\.properties$/],
];

/** What the commands of the application and the packet reach: programs by name, and shell scripts by path. */
export type Reached = { readonly programs: ReadonlySet<string>; readonly scripts: ReadonlySet<string> };

/** Reads commands, the shell lines in them, and, where one runs a package manager, every package script behind it. */
export function reachedBy(commands: readonly (readonly string[])[], packageScripts: readonly string[]): Reached {
  const ofShell = (text: string): string[] => text.split(/[\s;&|()]+/).filter((word) => word !== '');
  const named = commands.flatMap((argv) => argv.flatMap(ofShell));
  const managed = named.some((word) => PACKAGE_MANAGERS.has(posix.basename(word)));
  const words = [...named, ...(managed ? packageScripts.flatMap(ofShell) : [])];
  return {
    programs: new Set(words.map((word) => posix.basename(word))),
    scripts: new Set(words.filter((word) => SHELL_SCRIPT.test(word)).map((word) => posix.normalize(word))),
  };
}

const PACKAGE_MANAGERS = new Set(['npm', 'npx', 'yarn', 'pnpm', 'bun']);
const SHELL_SCRIPT = /\.(?:sh|bash|zsh|bats|ps1|cmd|bat)$/i;

/**
 * Changed files whose steering parts differ from the base's, as `path#part`, and build files behind the programs that are run. A
 * declared command would otherwise mean what the change says it means. At any depth: workspaces have manifests of their own.
 */
export async function changedSteering(
  repository: string,
  entries: readonly DiffEntry[],
  { programs, scripts }: Reached,
  signal: AbortSignal,
): Promise<string[]> {
  const touched: string[] = [];
  for (const entry of entries) {
    const behind = BEHIND.some(
      ([program, file]) => file.test(entry.path) && [...programs].some((name) => program.test(name)),
    );
    if (behind || [...scripts].some((script) => isScript(entry.path, script))) {
      touched.push(entry.path);
      continue;
    }
    if (steeringParts(entry.path, '') === undefined) continue;
    const before = steeringParts(entry.path, await readText(repository, entry.oldBlob, signal)) ?? {};
    const after = steeringParts(entry.path, await readText(repository, entry.newBlob, signal)) ?? {};
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      if (canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null))
        touched.push(`${entry.path}#${key}`);
  }
  return touched;
}

/** A command may change into a folder before it runs a script, so that the end of a path is enough. */
const isScript = (path: string, script: string): boolean => path === script || path.endsWith(`/${script}`);

async function readText(repository: string, blob: string | null, signal: AbortSignal): Promise<string> {
  if (blob === null) return '';
  for await (const content of readBlobs(repository, [blob], signal))
    return content.length > manifestBytes ? `too large to read: ${blob}` : content.toString('utf8');
  return '';
}
