/**
 * The replacement template of a rule, read as ast-grep 0.51 reads it: `$NAME` and `$$NAME` stand for one captured node, `$$$NAME` for
 * several, and any other `$` for itself. A name is capitals, digits and underscores and does not begin with a digit.
 */
export type TemplateVariable = { readonly kind: 'single' | 'multiple'; readonly name: string };
export type TemplatePart =
  | { readonly text: string }
  | (TemplateVariable & {
      /** Spaces before the line that the variable stands in: further lines of what it captured are indented as much. */
      readonly indent: number;
    });

const variable = /(\$\$\$|\$\$|\$)([A-Z_][A-Z0-9_]*)/g;

/** Characters that are looked back for the start of a line; an indentation further off counts as none. */
const lookBack = 512;

/** Variables that a text (a pattern, or a template) uses. */
export const variablesOf = (text: string): TemplateVariable[] =>
  [...text.matchAll(variable)].map(([, dollars, name = '']) => ({
    kind: dollars === '$$$' ? 'multiple' : 'single',
    name,
  }));

/** A template in its parts, in their order. */
export function parseTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const found of template.matchAll(variable)) {
    const [whole, dollars, name = ''] = found;
    parts.push({ text: template.slice(end, found.index) });
    parts.push({
      kind: dollars === '$$$' ? 'multiple' : 'single',
      name,
      indent: indentAt(template, found.index),
    });
    end = found.index + whole.length;
  }
  parts.push({ text: template.slice(end) });
  return parts;
}

/** Spaces that the line of a place begins with; tabs count as none, as in ast-grep. */
export function indentAt(text: string, place: number): number {
  const from = Math.max(0, place - lookBack);
  const before = text.slice(from, place);
  const start = before.lastIndexOf('\n');
  if (start < 0 && from > 0) return 0;
  return /^ */.exec(before.slice(start + 1))?.[0].length ?? 0;
}

/** The lines after the first moved from one indentation to another; lines that lack the old one stay where they are. */
export function reindent(text: string, from: number, to: number): string {
  if (from === to || !text.includes('\n')) return text;
  const [first = '', ...rest] = text.split('\n');
  const less = ' '.repeat(Math.max(0, from - to));
  const more = ' '.repeat(Math.max(0, to - from));
  return [
    first,
    ...rest.map((line) => more + (less !== '' && line.startsWith(less) ? line.slice(less.length) : line)),
  ].join('\n');
}
