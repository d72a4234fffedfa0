import { digestOfBytes, digestOfValue } from '../../shared/domain/digest.ts';
import type { RequestId } from '../../shared/domain/ids.ts';
import type { Facts } from '../../shared/domain/job/outcome.ts';
import { intendEffect } from '../../shared/effects/ledger/intend.ts';
import { recordEffect } from '../../shared/effects/ledger/record.ts';
import type { ClaimAnswer } from '../../shared/jobs/protocol.ts';
import { claimsDigest, type Receipt, receiptSchema } from '../../shared/verify/receipt.ts';
import type { SealPlane } from './plane.ts';

/** What the workers of line `patch` report for one small change, as their receipts and plans have it. */
export const BASE = { commit: 'a'.repeat(40), gitTree: 'b'.repeat(40), tree: digestOfBytes('base tree') };
export const HEAD = { gitTree: 'c'.repeat(40), tree: digestOfBytes('head tree') };

const runOf = (passed: boolean) => ({
  argv: digestOfValue(['node', '--test']),
  exitCode: passed ? 0 : 1,
  passed,
  faults: passed ? [] : ['exit code 1'],
});
const counts = (passed: number) => ({ tests: 3, passed, failed: 3 - passed, skipped: 0 });

export function receiptOf(
  claim: ClaimAnswer,
  stage: 'baseline' | 'validate',
  verdict: string,
  baseline: Receipt | null = null,
): Receipt {
  const digest = (name: string): string => claim.inputs.find((input) => input.name === name)!.digest;
  const after = stage === 'validate';
  return receiptSchema.parse({
    schemaVersion: 1,
    claims: {
      stage,
      verdict,
      packet: digest('packet'),
      declaration: digest('declaration'),
      base: BASE,
      head: after ? HEAD : null,
      baseline: baseline === null ? null : claimsDigest(baseline),
      line: { line: 'patch', patchAlreadyIn: false },
      reproduction: { before: runOf(false), after: after ? runOf(true) : null, reasonForNone: null },
      checks: [{ name: 'unit', kind: 'unit', ...runOf(after), counts: counts(after ? 3 : 2) }],
      commands: [],
      scenarios: [{ name: 'serves', before: true, after: after ? true : null }],
      tests: { fromBase: 1, fromBaseDigest: digestOfValue(['test/add.test.js']), fromChange: [] },
      sandbox: { kind: 'bubblewrap', isolation: 'isolated', versions: { bubblewrap: '0.8.0', node: '24.21.0' } },
      faults: [],
      notVerified: ['changed code runs in the same process as the tests'],
    },
    observations: {
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: '2026-01-01T00:00:01Z',
      lineName: 'patch',
      runs: [],
    },
  });
}

const PLAN = {
  schemaVersion: 1,
  line: 'patch',
  base: { commit: BASE.commit, tree: BASE.tree },
  changes: [{ path: 'src/add.js', why: 'the sum is wrong' }],
  riskyInterfaces: [],
  importers: [],
  tests: { moveFirst: [], mapping: [], untested: [] },
  manifests: [],
  decisions: [],
  context: { found: [], notFound: [] },
  counts: { changes: 1, importers: 0 },
};

export const CHANGED: Facts = {
  paths: ['src/add.js'],
  pathCount: 1,
  linesAdded: 1,
  linesRemoved: 1,
  binaryFiles: 0,
  manifests: [],
  testPaths: [],
  coverage: 'known',
  baseCommit: BASE.commit,
  baseTree: BASE.tree,
  headTree: HEAD.tree,
  gitTree: HEAD.gitTree,
};

/** What a verifier says of a receipt, whatever else it has to tell. */
export const claiming = (receipt: Receipt): Facts => ({
  paths: [],
  manifests: [],
  testPaths: [],
  claims: claimsDigest(receipt),
});

/** Works a request of line `patch` up to the receipt of the changed tree; the seal of its change evidence is then asked for. */
export async function workToValidation(
  plane: SealPlane,
  spoil: { readonly receipt?: (receipt: Receipt) => unknown; readonly facts?: Facts } = {},
): Promise<void> {
  await plane.complete('fetch', await plane.claim('fetch'), { verdict: 'fetched' }, [
    { name: 'source', kind: 'source_bundle', content: 'source' },
  ]);
  const baseline = await plane.claim('verify');
  const before = receiptOf(baseline, 'baseline', 'reproduced');
  await plane.complete('verify', baseline, { verdict: 'reproduced', facts: claiming(before) }, [
    { name: 'receipt', kind: 'receipt', content: before },
  ]);
  await plane.complete('plan', await plane.claim('plan'), { verdict: 'ok', facts: CHANGED }, [
    { name: 'plan', kind: 'plan', content: PLAN },
  ]);
  await plane.complete('build', await plane.claim('build'), { verdict: 'changed', facts: CHANGED }, [
    { name: 'change', kind: 'change_bundle', content: 'change' },
    { name: 'diff', kind: 'diff', content: 'the diff' },
  ]);
  const validate = await plane.claim('verify');
  const receipt = receiptOf(validate, 'validate', 'valid', before);
  await plane.complete(
    'verify',
    validate,
    { verdict: 'valid', facts: { ...(spoil.facts ?? CHANGED), claims: claimsDigest(receipt) } },
    [
      { name: 'receipt', kind: 'receipt', content: spoil.receipt?.(receipt) ?? receipt },
      { name: 'diff', kind: 'diff', content: 'the diff' },
    ],
  );
}

/** Performs both effects of a pull request, as an effector reports them, and completes the job. */
export async function deliver(plane: SealPlane, request: RequestId): Promise<ClaimAnswer> {
  const claim = await plane.claim('effect');
  const { effect: effector } = plane.workers;
  const job = claim.job as Parameters<typeof intendEffect>[2];
  for (const [ordinal, kind] of (['git_push', 'pull_request'] as const).entries()) {
    const body = {
      kind,
      ordinal,
      target: `shop:refs/heads/factory/${request}`,
      tree: HEAD.tree,
      expectedBefore: '',
      rollback: 'Delete the branch.',
    };
    const { id } = await plane.run('intend', (context) => intendEffect(context, effector, job, claim.leaseToken, body));
    for (const event of ['started', 'completed', 'verified'] as const) {
      await plane.run('record', (context) =>
        recordEffect(context, effector, job, claim.leaseToken, {
          effect: id as Parameters<typeof recordEffect>[4]['effect'],
          event,
          observed: `${kind} ${event}`,
        }),
      );
    }
  }
  await plane.complete('effect', claim, { verdict: 'delivered' }, [
    { name: 'delivery', kind: 'log', content: { delivered: true } },
  ]);
  return claim;
}

export async function sealAll(plane: SealPlane): Promise<void> {
  for (const body of plane.takeSeals()) await plane.sealer.seal(body);
}
