import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTreeId, type TreeId } from '../../shared/sandbox/git/object-id.ts';
import { isPatchIn } from '../../shared/sandbox/git/patch/already-in.ts';
import { applyPacketPatch } from '../../shared/sandbox/git/patch/apply-packet-patch.ts';
import { SandboxRefusal } from '../../shared/sandbox/refusal.ts';
import { emptyRepository } from '../sandbox/repositories.ts';
import { type Situation, situation, type Tree } from './generated.ts';

/** Two questions are asked of each, in two properties: 1,000 in all. */
const CASES = 250;
const LONG = 30 * 60_000;

type Trees = Readonly<Record<'base' | 'edit' | 'drift' | 'both' | 'half', TreeId>>;

/** All trees of all situations by one git: what a person committed before they made their patch. */
function importTrees(repository: string, situations: readonly Situation[]): Trees[] {
  const chunks: Buffer[] = [];
  const data = (text: string): Buffer =>
    Buffer.concat([Buffer.from(`data ${text.length}\n`), Buffer.from(text, 'latin1'), Buffer.from('\n')]);
  const write = (ref: string, tree: Tree): void => {
    chunks.push(Buffer.from(`commit refs/heads/${ref}\ncommitter T <t@localhost> 0 +0000\ndata 0\ndeleteall\n`));
    for (const [path, { mode, text }] of tree)
      chunks.push(Buffer.from(`M ${mode} inline "${path.replace(/["\\]/g, '\\$&')}"\n`, 'latin1'), data(text));
  };
  situations.forEach((each, index) => {
    for (const name of ['base', 'edit', 'drift', 'both'] as const) write(`${name}/${index}`, each[name]);
    write(`half/${index}`, halfOf(each));
  });
  execFileSync('git', ['--git-dir', repository, 'fast-import', '--quiet', '--force'], { input: Buffer.concat(chunks) });
  const listed = execFileSync(
    'git',
    ['--git-dir', repository, 'for-each-ref', '--format=%(refname:lstrip=2) %(tree)'],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const ids = new Map(
    listed
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  const of = (name: string, index: number) => parseTreeId(ids.get(`${name}/${index}`) ?? '');
  return situations.map((_, index) => ({
    base: of('base', index),
    edit: of('edit', index),
    drift: of('drift', index),
    both: of('both', index),
    half: of('half', index),
  }));
}

/** The edit in all files but the first that it touches. */
function halfOf({ base, edit, touched }: Situation): Tree {
  const [first = ''] = touched;
  const half = new Map(edit);
  half.delete(`moved/${first}`);
  const before = base.get(first);
  if (before === undefined) half.delete(first);
  else half.set(first, before);
  return half;
}

function patchOf(repository: string, { options, stripped }: Situation, { base, edit }: Trees): Buffer {
  const patch = execFileSync('git', ['--git-dir', repository, 'diff-tree', '-r', '-p', ...options, base, edit], {
    maxBuffer: 64 * 1024 * 1024,
  });
  // Without ids, as a plain diff is: binary data and lines without context need them.
  return stripped && !options.includes('-U0') && !patch.includes('GIT binary patch')
    ? Buffer.from(patch.toString('latin1').replace(/^index .*\n/gm, ''), 'latin1')
    : patch;
}

/** The tree that comes of a patch, or the code of its refusal. */
async function outcome(repository: string, baseTree: TreeId, patch: Uint8Array): Promise<string> {
  try {
    return (await applyPacketPatch({ repository, baseTree, patch })).tree;
  } catch (error) {
    if (error instanceof SandboxRefusal) return error.code;
    throw error;
  }
}

test('a patch gives the right tree or a refusal, on its own base and on one that went on; never another tree', {
  timeout: LONG,
}, async () => {
  const repository = await emptyRepository();
  const situations = fc.sample(situation, CASES);
  const trees = importTrees(repository, situations);
  let right = 0;
  for (const [index, each] of situations.entries()) {
    const { base, edit, drift, both } = trees[index]!;
    const patch = patchOf(repository, each, trees[index]!);
    const own = await outcome(repository, base, patch);
    if (own !== edit)
      expect({ options: each.options, own }).toMatchObject({ own: expect.stringMatching(/^(?:PATCH|TREE)-/) });
    else right++;
    const later = await outcome(repository, drift, patch);
    if (later !== both)
      expect({ options: each.options, later, stripped: each.stripped, patch: patch.toString('latin1') }).toMatchObject({
        later: expect.stringMatching(/^(?:PATCH|TREE)-/),
      });
  }
  // Prefixes that nobody knows, and binary data that was left out, are refused; little else is.
  expect(right).toBeGreaterThan(CASES * 0.7);
});

test('a patch is in only where the tree holds all of it', { timeout: LONG }, async () => {
  const repository = await emptyRepository();
  const situations = fc.sample(situation, CASES);
  const trees = importTrees(repository, situations);
  let found = 0;
  for (const [index, each] of situations.entries()) {
    const { base, edit, drift, half } = trees[index]!;
    const patch = patchOf(repository, each, trees[index]!);
    const isIn = (baseTree: TreeId) => isPatchIn({ repository, baseTree, patch });
    if (await isIn(edit)) found++;
    const [which, tree] = (
      [
        ['base', base],
        ['drift', drift],
        ['half', half],
      ] as const
    )[index % 3]!;
    if (tree !== edit)
      expect({ which, isIn: await isIn(tree), patch: patch.toString('latin1') }).toMatchObject({ isIn: false });
  }
  expect(found).toBeGreaterThan(CASES * 0.6);
});
