import path from 'node:path';
import type { Document } from '../../scripts/infra/bicep/document.ts';
import { allChecks } from '../../scripts/infra/checks/all.ts';
import { type Code, readCode } from '../../scripts/infra/code.ts';
import { type Finding, runChecks } from '../../scripts/infra/finding.ts';
import { type Landing, readFiles, readLanding } from '../../scripts/infra/landing.ts';

export const root = path.join(import.meta.dirname, '..', '..');
export const files = await readFiles(path.join(root, 'infra'));
export const code = await readCode(root);

export const base = await readLanding(files);
const replaced = (documents: readonly Document[], by: readonly Document[]): Document[] =>
  documents.map((document) => by.find(({ file }) => file === document.file) ?? document);

/** Checks the landing zone as it is on disk, with some files and some of the code's facts changed. */
export async function check(
  changed: ReadonlyMap<string, string> = new Map(),
  against: Partial<Code> = {},
): Promise<Finding[]> {
  const { templates, parameterFiles } = await readLanding(changed);
  const landing: Landing = {
    templates: replaced(base.templates, templates),
    parameterFiles: replaced(base.parameterFiles, parameterFiles),
    files: new Map([...files, ...changed]),
  };
  return runChecks(landing, allChecks({ ...code, ...against }));
}

/** The file with one text replaced by another; the text must be there, or the example has gone stale. */
export function edited(file: string, from: string, to: string): ReadonlyMap<string, string> {
  const text = files.get(file);
  if (text === undefined || !text.includes(from)) throw new Error(`${file} has no "${from}": the example is stale`);
  return new Map([[file, text.replace(from, () => to)]]);
}
