import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Document, readDocument } from './bicep/document.ts';

/** The landing zone as read from disk: templates parsed, everything else as text. Paths are relative to `infra/`, with `/`. */
export type Landing = {
  readonly templates: readonly Document[];
  readonly parameterFiles: readonly Document[];
  /** Every file's text, the templates' included. */
  readonly files: ReadonlyMap<string, string>;
};

/** Reads every file under a directory. */
export async function readFiles(directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(directory, file).split(path.sep).join('/'), await readFile(file, 'utf8'));
  }
  return files;
}

/** @throws SyntaxFault when a template or parameter file does not parse. */
export async function readLanding(files: ReadonlyMap<string, string>): Promise<Landing> {
  const parse = (ending: string): Promise<Document[]> =>
    Promise.all([...files].filter(([file]) => file.endsWith(ending)).map(([file, text]) => readDocument(file, text)));
  return { templates: await parse('.bicep'), parameterFiles: await parse('.bicepparam'), files };
}

/** Finds the file that a compiled template was made from, by its description: no two files have the same. */
export const fileByDescription =
  (landing: Landing) =>
  (description: string): string | undefined =>
    landing.templates.find(
      ({ text }) =>
        /^metadata description = '((?:[^'\\]|\\.)*)'/m.exec(text)?.[1]?.replaceAll("\\'", "'") === description,
    )?.file;

/** A template by its path, or undefined. */
export function templateOf(landing: Landing, file: string): Document | undefined {
  return landing.templates.find((document) => document.file === file);
}
