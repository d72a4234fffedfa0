import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, root } from './documents.ts';

const documents = filesBelow('docs', '.md');

/** The anchor that a heading gets: lower case, punctuation gone, blanks as hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''));

describe.each(documents)('%s', (name) => {
  const file = path.join(root, name);
  const text = readFileSync(file, 'utf8');
  const prose = text.replace(/```[\s\S]*?```/g, '');

  it('links to what is there', () => {
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [to = '', anchor] = target.split('#');
      const linked = to === '' ? file : path.resolve(path.dirname(file), to);
      expect(existsSync(linked), `${name} links to ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(linked), `${name} links to ${target}`).toContain(anchor);
    }
  });

  it('names files of the repository that are there', () => {
    for (const [, named = ''] of prose.matchAll(
      /`((?:shared|functions|local|cli|definitions|scripts|test|bench|examples)\/[\w./-]*)`/g,
    ))
      expect(existsSync(path.join(root, named)), `${name} names ${named}`).toBe(true);
  });
});

it('every decision record is in the list, and has its four parts', () => {
  const list = readFileSync(path.join(root, 'docs/adr/README.md'), 'utf8');
  for (const record of filesBelow('docs/adr', '.md')) {
    if (record.endsWith('README.md')) continue;
    const text = readFileSync(path.join(root, record), 'utf8');
    expect(list).toContain(`](${path.basename(record)})`);
    expect(text).toMatch(new RegExp(`^# ${path.basename(record).slice(0, 4)} `));
    for (const part of ['Context', 'Decision', 'Alternatives', 'Consequences'])
      expect(text, record).toContain(`**${part}.**`);
  }
});
