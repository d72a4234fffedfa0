import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ToolchainKind } from './catalogue.ts';

/** An installation on this machine: what has to be seen inside, and where its programs are. */
export type Installation = { readonly root: string; readonly bin: string };

/** More than a machine has; a folder of thousands is not looked through. */
const mostEntries = 50;

/** The installations of a kind outside of the usual PATH, the one with the highest name first. */
export function installationsOf(kind: ToolchainKind): Installation[] {
  const [program = ''] = Object.keys(kind.programs);
  const found = new Map<string, Installation>();
  for (const root of kind.places.flatMap(expand)) {
    const bin = [join(root, 'bin'), root].find((directory) => existsSync(join(directory, program)));
    if (bin !== undefined) found.set(root, { root, bin });
  }
  return [...found.values()].sort((a, b) => b.root.localeCompare(a.root, 'en', { numeric: true }));
}

/** Files and folders that installations of a kind read in other places, as far as this machine has them. */
export const filesOf = (kind: ToolchainKind): string[] => {
  const packages = packagesOf(kind);
  return [...kind.files.flatMap(expand), ...(packages === undefined ? [] : [packages])];
};

/** The folder of packages that this process is set up with; undefined where there is none. A setting counts with an absolute path alone. */
export function packagesOf(
  { packages }: ToolchainKind,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (packages === undefined) return undefined;
  const named = packages.settings.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
  if (named !== undefined && !isAbsolute(named)) return undefined;
  const place = named ?? packages.usual.replace(/^~/, homedir());
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true ? realpathSync(place) : undefined;
}

/** The paths that a pattern names here, with one `*` in a component: real ones, each once. A folder that is closed to the worker names none. */
function expand(pattern: string): string[] {
  const parts = pattern.replace(/^~/, homedir()).split('/').slice(1);
  let paths = ['/'];
  for (const part of parts) {
    paths = part.includes('*')
      ? paths.flatMap((path) => matching(path, part))
      : paths.map((path) => join(path, part)).filter(isThere);
  }
  return [...new Set(paths.map((path) => realpathSync(path)))];
}

function matching(directory: string, part: string): string[] {
  const [before = '', after = ''] = part.split('*');
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.') && name.startsWith(before) && name.endsWith(after))
      .slice(0, mostEntries)
      .map((name) => join(directory, name))
      .filter(isThere);
  } catch {
    return [];
  }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
