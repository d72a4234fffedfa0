import { expect, test } from 'vitest';
import type { DiffEntry } from '../../shared/sandbox/git/diff.ts';
import { changedSteering, reachedBy } from '../../shared/verify/trees/steering.ts';

const entry = (path: string) => ({ path, oldBlob: null, newBlob: null }) as unknown as DiffEntry;

test('a script that a command runs is closed, in whatever folder the command changes into before', async () => {
  const reached = reachedBy(
    [
      ['sh', '-c', 'cd tools && ./check.sh'],
      ['env', '-C', 'ci', 'bash', 'unit/run.sh'],
    ],
    [],
  );
  const entries = ['tools/check.sh', 'ci/unit/run.sh', 'check.sh', 'tools/recheck.sh', 'unit/other.sh'].map(entry);
  expect(await changedSteering('/absent', entries, reached, new AbortController().signal)).toEqual([
    'tools/check.sh',
    'ci/unit/run.sh',
    'check.sh',
  ]);
});
