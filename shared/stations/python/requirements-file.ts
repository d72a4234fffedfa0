import { posix } from 'node:path';
import { type Requirement, type Requirements, requirementOf } from './requirement.ts';

/** Files that include each other are followed this far. */
const mostFiles = 30;
const mostLines = 5_000;

export type ReadFile = (path: string) => Promise<string | undefined>;

/**
 * Reads requirements files as data, as pip does (pip's "Requirements File Format"): continued lines, comments, digests, files and
 * constraints that they include. Options that would choose where packages come from, or run a package's code, are left out and told.
 */
export async function readRequirementsFiles(read: ReadFile, paths: readonly string[]): Promise<Requirements> {
  const wanted: Requirement[] = [];
  const constraints: string[] = [];
  const left: string[] = [];
  const queue = paths.map((path) => ({ path, constrains: false }));
  const seen = new Set<string>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { path, constrains } = next;
    if (seen.has(path)) continue;
    seen.add(path);
    const text = seen.size > mostFiles ? undefined : await read(path);
    if (text === undefined) {
      left.push(`${path} is not in the repository`);
      continue;
    }
    for (const line of logicalLines(text).slice(0, mostLines)) {
      const included = /^(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)$/.exec(line)?.[1];
      if (included !== undefined) {
        const target = posix.normalize(posix.join(posix.dirname(path), included));
        const inside = !target.startsWith('..') && !posix.isAbsolute(included);
        if (inside) queue.push({ path: target, constrains: constrains || /^(?:-c|--constraint)/.test(line) });
        else left.push(`${path} includes ${included.slice(0, 100)}, which is not in the repository`);
        continue;
      }
      if (/^-(?!e\b)/.test(line) && !/^--editable/.test(line)) {
        if (!/^--require-hashes$/.test(line)) left.push(`${path}: the option ${optionOf(line)} is not read`);
        continue;
      }
      const found = requirementOfLine(line);
      if (found === undefined) left.push(`${path}: ${shown(line)} comes from no index, and is not fetched`);
      else if (constrains) constraints.push(found.text);
      else wanted.push(found);
    }
  }
  return { wanted, constraints, left };
}

function requirementOfLine(line: string): Requirement | undefined {
  const sha256 = [...line.matchAll(/\s--hash[=\s]sha256:([0-9a-f]{64})(?=\s|$)/g)].map(([, digest = '']) => digest);
  return requirementOf(line.replaceAll(/\s--[a-z-]+[=\s]\S+/g, ''), sha256);
}

/** Lines joined where one ends with a backslash, without comments and empty ones. */
function logicalLines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

const optionOf = (line: string): string => (line.split(/[\s=]/)[0] ?? '').slice(0, 60);
/** An address may hold a name and a password. */
const shown = (line: string): string => line.replace(/\/\/[^/@\s]*@/, '//').slice(0, 200);
