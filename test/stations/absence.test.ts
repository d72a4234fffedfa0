import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grammarsFor } from '../../shared/stations/api-migration/families.ts';
import { rulesAnswer } from '../../shared/stations/api-migration/rules-answer.ts';

/**
 * Absence is claimed of a repository in which no rule matches and no file is named as unread. Repositories are made here file by file,
 * so that it is known whether the call that the rule looks for is in one; a hundred of them, a folder each, are searched at a time.
 */
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'factory-absence-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const REPOSITORIES = 1_000;
const AT_ONCE = 100;
const script = new URL('../../shared/stations/api-migration/inside/apply-rules.ts', import.meta.url).pathname;

type Shape = { readonly text: string; readonly calls: boolean; readonly files: readonly string[] };
type Made = { readonly path: string; readonly bytes: Uint8Array; readonly calls: boolean; readonly plain: boolean };

const scripts = ['.js', '.mjs', '.cjs', '.jsx'];
const typed = ['.ts', '.mts', '.cts'];
const pages = ['.html', '.vue', '.svelte', '.astro'];
/** What people mean by the language of a rule. */
const MEANT = { javascript: [...scripts, ...pages], typescript: [...typed, '.tsx', ...pages] };
const shape = (text: string, calls = true, files = [...scripts, ...typed, '.tsx']): Shape => ({ text, calls, files });
const markup = (text: string, calls = true): Shape => shape(text, calls, pages);

const SHAPES: readonly Shape[] = [
  shape('legacy(1);'),
  shape('const f = () => legacy(1, 2);'),
  shape('const t = `a $'.concat('{legacy(1)} b`;')),
  shape('class A { m() { return legacy(1); } }'),
  shape('export async function g() { return (await legacy(1)) ?? 2; }'),
  shape('const r = /["`]/.test(x); legacy(r);'),
  shape('legacy(/* why */ 1);'),
  shape('legacy(\n  1,\n);'),
  shape('x = { ...legacy(1) };'),
  shape('if (x) for (const y of legacy(1)) f(y);'),
  shape('const e = <b x={legacy(1)} />;', true, ['.js', '.jsx', '.tsx']),
  shape('const e = <b>{legacy(1)}</b>;', true, ['.js', '.jsx', '.tsx']),
  shape('const x = <string>legacy(1);', true, typed),
  shape('const x = f<T>(legacy(1) as U);', true, [...typed, '.tsx']),
  shape('enum E { A = legacy(1) }', true, [...typed, '.tsx']),
  shape('// @flow\nexport type T = {| +a: ?number |};\nlegacy(1);', true, ['.js']),
  shape('// @flow\nexport opaque type T = string;\nlegacy((x: any));', true, ['.js']),
  markup('<script>legacy(1);</script>'),
  markup('<p onclick="legacy(1)">x</p>'),
  markup('<a href="javascript:legacy(1)">x</a>'),
  // What only looks like the call.
  shape('// legacy(1)', false),
  shape("const s = 'legacy(1)';", false),
  shape('legacyOne(1);', false),
  shape('x.legacy(1);', false),
  shape('const legacy = 1;', false),
  shape('f();', false),
  markup('<p>Nothing.</p>', false),
  shape('legacy(1)', false, ['.md', '.txt', '.py', '.sh']),
];

/** Bytes around the shape: what editors, other systems and other people leave in files. */
const WRAPS: readonly ((text: string) => { readonly bytes: Uint8Array; readonly plain: boolean })[] = [
  (text) => ({ bytes: Buffer.from(`${text}\n`), plain: true }),
  (text) => ({ bytes: Buffer.from(`\u{feff}${text}\n`), plain: true }),
  (text) => ({ bytes: Buffer.from(`${text}\n`.replaceAll('\n', '\r\n')), plain: true }),
  (text) => ({ bytes: Buffer.from(`/* ${'é'.repeat(40)} 😀 */\n${text}`), plain: true }),
  (text) => ({ bytes: Buffer.from(`\u{feff}${text}\n`, 'utf16le'), plain: false }),
  (text) => ({ bytes: Buffer.from(`${text}\n\0`), plain: false }),
  (text) => ({ bytes: Buffer.from(`const = ;\n${text}\n`), plain: false }),
  (text) => ({ bytes: Buffer.from(`${text}\nfunction (\n`), plain: false }),
  (text) => ({ bytes: Buffer.from(`<<<<<<< ours\n${text}\n=======\n>>>>>>> theirs\n`), plain: false }),
];

/** Nothing that is searched for stands in it: a match in such a file stops the search with a question. */
const latin1 = (text: string) => ({ bytes: Buffer.from(`/* caf\xe9 */\n${text}\n`, 'latin1'), plain: false });

const file: fc.Arbitrary<Made> = fc
  .record({
    shape: fc.constantFrom(...SHAPES),
    wrap: fc.constantFrom(...WRAPS),
    folder: fc.constantFrom('', 'src/', 'packages/a/lib/', '[id]/', 'with space/', '.hidden/'),
    pick: fc.nat(),
    upper: fc.boolean(),
  })
  .map(({ shape: { text, calls, files }, wrap, folder, pick, upper }) => {
    const ending = files[pick % files.length] ?? '';
    const { bytes, plain } = !calls && pick % 8 === 0 ? latin1(text) : wrap(text);
    return { path: `${folder}${pick}${upper ? ending.toUpperCase() : ending}`, bytes, calls, plain };
  });
const repository = fc.uniqueArray(file, { maxLength: 4, selector: ({ path }) => path.toLowerCase() });

test.each(['javascript', 'typescript'] as const)(
  'a %s rule that finds nothing, and names nothing unread, has no match anywhere that people mean by it',
  (language) => {
    const repositories = fc.sample(repository, { numRuns: REPOSITORIES, seed: 20260101 });
    let absent = 0;
    let planted = 0;
    for (let from = 0; from < REPOSITORIES; from += AT_ONCE) {
      const batch = repositories.slice(from, from + AT_ONCE);
      const found = search(join(directory, `${language}-${from}`), language, batch);
      for (const [index, made] of batch.entries()) {
        const mine = made.filter(({ path }) => MEANT[language].includes(extname(path).toLowerCase()));
        const calls = mine.some((each) => each.calls);
        const claimed = !found.matches.has(index) && !found.unread.has(index);
        const said = made.map(({ path, bytes }) => `${path}: ${JSON.stringify(bytes.toString())}`).join('\n');
        if (calls) expect(claimed, said).toBe(false);
        if (!calls) expect(found.matches.has(index), said).toBe(false);
        // It would be no use to anyone if it were never claimed.
        if (!calls && mine.every(({ plain }) => plain)) expect(claimed, said).toBe(true);
        planted += calls ? 1 : 0;
        absent += claimed ? 1 : 0;
      }
    }
    expect(Math.min(planted, absent)).toBeGreaterThan(REPOSITORIES / 10);
  },
  600_000,
);

/** The repositories, by their place in the batch, in which a rule matches, and those of which a file is unread. */
function search(root: string, language: 'javascript' | 'typescript', batch: readonly (readonly Made[])[]) {
  const files: unknown[] = [];
  for (const [index, made] of batch.entries())
    for (const { path, bytes } of made) {
      mkdirSync(dirname(join(root, `${index}/${path}`)), { recursive: true });
      writeFileSync(join(root, `${index}/${path}`), bytes);
      const grammars = grammarsFor(language, path);
      if (grammars !== undefined) files.push({ path: `${index}/${path}`, rules: [0], grammars });
    }
  mkdirSync(root, { recursive: true });
  const rules = [{ id: 'r', language, rule: { pattern: 'legacy($$$ARGUMENTS)' }, fix: 'modern($$$ARGUMENTS)' }];
  const input = JSON.stringify({ rewrite: false, rules, files });
  const { stdout, stderr } = spawnSync(process.execPath, [script], { cwd: root, input, encoding: 'utf8' });
  const answered = rulesAnswer.parse(JSON.parse(stdout === '' ? `{"error":${JSON.stringify(stderr)}}` : stdout));
  if (!('matches' in answered)) throw new Error(`no answer: ${stdout}`);
  expect(answered.unreadCount).toBe(answered.unread.length);
  const placesOf = (found: readonly { readonly path: string }[]) =>
    new Set(found.map(({ path }) => Number(path.split('/')[0])));
  return { matches: placesOf(answered.matches), unread: placesOf(answered.unread) };
}
