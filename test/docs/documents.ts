import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

export const document = (name: string): string => readFileSync(path.join(root, 'docs', name), 'utf8');

/** Every file below a folder of the repository with one of these endings, by its path from the root. */
export function filesBelow(folder: string, ...endings: readonly string[]): readonly string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => path.join(folder, name))
    .sort();
}

/** The text below a heading, up to the next heading of its rank or a higher one. */
export function section(text: string, heading: string): string {
  const rank = /^#+/.exec(heading)?.[0].length ?? 1;
  const lines = text.split('\n');
  const from = lines.indexOf(heading);
  if (from === -1) throw new Error(`there is no heading "${heading}"`);
  const after = lines.slice(from + 1);
  const to = after.findIndex((line) => new RegExp(`^#{1,${rank}} `).test(line));
  return after.slice(0, to === -1 ? undefined : to).join('\n');
}

/** The rows of every table in a text, without headings and rulers: the cells as they are written. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const isRow = (line: string | undefined): line is string => line?.startsWith('|') === true;
  const isRuler = (line: string | undefined): boolean => isRow(line) && /^[|\s:-]+$/.test(line);
  return lines
    .filter((line, index) => isRow(line) && !isRuler(line) && !isRuler(lines[index + 1]))
    .map((line) =>
      line
        .slice(1, line.trimEnd().lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** What a cell says in code font, or the cell itself. */
export const code = (cell: string | undefined): string => /^`([^`]*)`/.exec(cell ?? '')?.[1] ?? cell ?? '';
