import { defaultGitLimits, diffBytes } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import type { TreeId } from './object-id.ts';
import { runGit } from './spawn.ts';

export type DiffEntry = {
  readonly path: string;
  readonly status: 'added' | 'deleted' | 'modified' | 'type-changed';
  readonly oldMode: string | null;
  readonly newMode: string | null;
  readonly oldBlob: string | null;
  readonly newBlob: string | null;
  /** Lines; 0 for a binary file, whose change `oldBlob` and `newBlob` name. */
  readonly added: number;
  readonly removed: number;
  readonly binary: boolean;
};

export type TreeDiff = { readonly patch: Uint8Array; readonly entries: readonly DiffEntry[] };

const faithful = [
  '--no-renames',
  '--no-textconv',
  '--no-ext-diff',
  '--no-color',
  '--full-index',
  '--diff-algorithm=myers',
  '--indent-heuristic',
  '--unified=3',
  '--inter-hunk-context=0',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--ignore-submodules=none',
];

/**
 * What changed between two trees: a patch that git-apply can put on the first to get the second, byte for byte, and a summary of
 * it. Attributes of the repository have no say. Throws `DIFF-TOO-LARGE`.
 */
export async function diffTrees(request: {
  readonly repository: string;
  readonly from: TreeId;
  readonly to: TreeId;
  readonly maximumBytes?: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<TreeDiff> {
  const maximum = request.maximumBytes ?? diffBytes;
  const diff = (...options: string[]): Promise<Buffer> =>
    runGit({
      repository: request.repository,
      arguments: ['diff-tree', '-r', ...options, ...faithful, '--end-of-options', request.from, request.to, '--'],
      limits: { ...defaultGitLimits, outputBytes: maximum },
      signal: request.signal,
    }).then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        if (!(error instanceof SandboxRefusal) || error.code !== 'GIT-OUTPUT-TOO-LARGE') throw error;
        throw new SandboxRefusal('DIFF-TOO-LARGE', `the change is larger than ${maximum} bytes as a diff; split it`, {
          limit: maximum,
        });
      },
    );
  const [patch, raw, counts] = await Promise.all([
    diff('-p', '--binary'),
    diff('-z', '--raw'),
    diff('-z', '--numstat'),
  ]);
  return { patch, entries: summary(records(raw), records(counts)) };
}

function records(output: Buffer): string[] {
  return output.toString('utf8').split('\0').slice(0, -1);
}

const statuses: Readonly<Record<string, DiffEntry['status']>> = {
  A: 'added',
  D: 'deleted',
  M: 'modified',
  T: 'type-changed',
};

function summary(raw: readonly string[], counts: readonly string[]): DiffEntry[] {
  const lines = new Map(
    counts.map((record) => {
      const [added = '', removed = '', path = ''] = record.split('\t');
      return [path, { added, removed }];
    }),
  );
  const entries: DiffEntry[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [oldMode = '', newMode = '', oldBlob = '', newBlob = '', letter = ''] = (raw[index] ?? '')
      .slice(1)
      .split(' ');
    const path = raw[index + 1] ?? '';
    const status = statuses[letter];
    if (status === undefined) throw new TypeError(`git diff-tree answered an unknown status ${letter}`);
    const count = lines.get(path);
    const binary = count?.added === '-';
    entries.push({
      path,
      status,
      oldMode: oldMode === '000000' ? null : oldMode,
      newMode: newMode === '000000' ? null : newMode,
      oldBlob: /^0+$/.test(oldBlob) ? null : oldBlob,
      newBlob: /^0+$/.test(newBlob) ? null : newBlob,
      added: binary ? 0 : Number(count?.added ?? 0),
      removed: binary ? 0 : Number(count?.removed ?? 0),
      binary,
    });
  }
  return entries;
}
