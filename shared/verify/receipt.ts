import { z } from 'zod';
import { CHECK_KINDS } from '../domain/application/declaration.ts';
import { HOLDOUT_RESULTS } from '../domain/application/holdouts.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import { ENDING_KINDS, STEPS } from '../domain/job/receipt-words.ts';
import { LINE_NAMES } from '../domain/packet/line-input.ts';
import { concern } from '../domain/risk/concern.ts';

/**
 * What the verifier found, as an artifact (`application/json`). `claims` are the same for the same packet, declaration and trees
 * on the same toolchain, and are what approvals bind ({@link claimsDigest}); times and raw output are kept apart in `observations`.
 */
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const text = z.string().max(2_000);
const path = z.string().max(4_096);

export const TEST_NAMES_KEPT = 20_000;
/** Tests named in words, of one check. */
export const TESTS_NAMED = 50;

const counts = z.strictObject({
  tests: z.int().min(0),
  passed: z.int().min(0),
  failed: z.int().min(0),
  skipped: z.int().min(0),
  /**
   * First 16 hexadecimal digits of SHA-256 of each passed test's name without times and the like, sorted, one entry a test; absent above
   * TEST_NAMES_KEPT. (Receipts without `ending` hold whole names, each once.)
   */
  passedTests: z
    .array(z.string().regex(/^[0-9a-f]{16}$/))
    .max(TEST_NAMES_KEPT)
    .optional(),
});
export type TestCounts = z.infer<typeof counts>;

const run = z.strictObject({
  /** Digest of the canonical JSON of the declared argument vector. */
  argv: digest,
  exitCode: z.int().nullable(),
  passed: z.boolean(),
  /** Why it counts as failed though the exit code may be 0. */
  faults: z.array(text).max(20),
  /** How it ended, beyond the exit code. Absent in receipts of releases that judged by the exit code alone. */
  ending: z.enum(ENDING_KINDS).optional(),
  /** Of a command that was run more than once on the same tree: how often, and how often it passed. */
  repeated: z.strictObject({ runs: z.int().min(1), passed: z.int().min(0) }).optional(),
});
export type RunClaim = z.infer<typeof run>;

const check = z.strictObject({
  name: z.string(),
  kind: z.enum(CHECK_KINDS),
  ...run.shape,
  counts: counts.nullable(),
  /** Tests that differed between runs of the same tree, the first of them by name: left out of the comparison. */
  unstable: z.array(z.string().max(300)).max(TESTS_NAMED).optional(),
});
export type CheckClaim = z.infer<typeof check>;

const tree = z.strictObject({ gitTree: z.string(), tree: digest });

const lineClaims = z.discriminatedUnion('line', [
  z.strictObject({ line: z.literal('patch'), patchAlreadyIn: z.boolean().nullable() }),
  z.strictObject({
    line: z.literal('api-migration'),
    matches: z
      .array(z.strictObject({ rule: z.string(), before: z.int().min(0), after: z.int().min(0).nullable() }))
      .max(50),
  }),
  z.strictObject({
    line: z.literal('dependency-update'),
    package: z.string(),
    range: z.string(),
    versionsBefore: z.array(z.string().max(256)).max(100),
    versionsAfter: z.array(z.string().max(256)).max(100).nullable(),
    publicApiBefore: digest.nullable(),
    publicApiAfter: digest.nullable(),
    /** Where no lockfile decides: what the manifests ask for, which is then all that is claimed. */
    manifestRanges: z.array(z.string().max(300)).max(100).optional(),
    /** Only the copies that the manifests ask for were judged, and the versions are theirs. Absent: every copy. */
    copies: z.literal('direct').optional(),
    /** Copies outside of the range that stay, as other packages hold them: all are counted, the first are named with their holders. */
    left: z.strictObject({ total: z.int().min(1), inWords: text }).optional(),
    /** Where no lockfile decides: the versions that this request's own resolution of the change gave the manifests, and was tested with. */
    resolvedVersions: z.array(z.string().max(256)).max(100).optional(),
    /** Every package that came, went or moved, the package itself included; all are counted, the first are listed. */
    moved: z
      .strictObject({
        total: z.int().min(0),
        mayBreak: z.int().min(0),
        listed: z
          .array(
            z.strictObject({
              name: z.string().max(300),
              from: z.array(z.string().max(256)).max(20),
              to: z.array(z.string().max(256)).max(20),
              step: z.enum(STEPS),
              direct: z.boolean(),
              development: z.boolean().nullable(),
            }),
          )
          .max(200),
      })
      .optional(),
  }),
  z.strictObject({
    line: z.literal('azure-deployment'),
    environment: z.string(),
    /** Digest of the plan's bytes: those in the tree, and those that are applied. */
    plan: digest,
    changes: z.record(z.string().max(64), z.int().min(0)),
  }),
]);
export type LineClaims = z.infer<typeof lineClaims>;

export const receiptSchema = z.strictObject({
  schemaVersion: z.literal(1),
  claims: z.strictObject({
    stage: z.enum(['baseline', 'validate']),
    verdict: z.string().max(64),
    packet: digest,
    declaration: digest,
    base: z.strictObject({ commit: z.string(), ...tree.shape }),
    /** The tree that was judged; null in a baseline. */
    head: tree.nullable(),
    /** Claims digest of the baseline that a validation builds on. */
    baseline: digest.nullable(),
    line: lineClaims,
    reproduction: z.strictObject({ before: run.nullable(), after: run.nullable(), reasonForNone: text.nullable() }),
    checks: z.array(check).max(50),
    commands: z.array(run).max(100),
    /** Written by releases that told of hidden scenarios one by one; empty since. */
    scenarios: z
      .array(z.strictObject({ name: z.string(), before: z.boolean().nullable(), after: z.boolean().nullable() }))
      .max(50),
    /** What came of the application's hidden scenarios, and no more than that. Absent in a baseline: they are run on the change. */
    holdouts: z.enum(HOLDOUT_RESULTS).optional(),
    tests: z.strictObject({
      /** How many files that decide about tests came from the base, and the digest of their list. */
      fromBase: z.int().min(0),
      fromBaseDigest: digest,
      /** Such files that came from the change, as the packet's testsMayChange allows. */
      fromChange: z.array(path).max(200),
    }),
    sandbox: z.strictObject({
      kind: z.enum(['bubblewrap', 'process', 'sessions']),
      isolation: z.enum(['isolated', 'none']),
      /** What bounded memory and processes: the kernel over all of them at once, or one by one and by looking. Absent in receipts of a former release. */
      limits: z.enum(['cgroup', 'rlimit']).optional(),
      versions: z.record(z.string(), z.string()),
    }),
    /** Packages that were fetched for the application's environment: the same files for base and change. */
    environment: z
      .strictObject({
        python: z.string().max(100),
        wheels: z.int().min(0),
        /** Of the list of files with their sha256. */
        digest,
        /** When they were chosen, where no digests of the repository pin them. */
        resolvedAt: z.iso.datetime().optional(),
      })
      .optional(),
    /** The prepare command failed, as packages could not be had, and checks ran without it. */
    unprepared: z.literal(true).optional(),
    /** Why the verdict is what it is, one entry a fault. */
    faults: z.array(text).max(100),
    notVerified: z.array(text).max(100),
    /** What raises the risk, in the words of the risk's vocabulary. */
    concerns: z.array(concern).max(20).optional(),
    /** What is delivered as it is in the base and was not tested; absent where there is nothing of the kind. */
    untested: z
      .strictObject({
        /** Digest of what was tested: the tree without the entries that are carried. */
        testedTree: digest,
        carried: z.array(z.strictObject({ mode: z.string(), path, object: z.string() })).max(200),
        carriedCount: z.int().min(0),
        /** Files that stand for contents in Git LFS. */
        lfsPointers: z.int().min(0),
      })
      .optional(),
    /** Digest of what the package offers to others, where the packet says that it must not change. */
    publicApi: digest.nullable().optional(),
  }),
  observations: z.strictObject({
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    lineName: z.enum(LINE_NAMES),
    runs: z
      .array(
        z.strictObject({
          of: z.string().max(200),
          durationMs: z.int().min(0),
          endedBy: z.string().max(32),
          stdout: z.strictObject({ digest, bytes: z.int().min(0) }),
          stderr: z.strictObject({ digest, bytes: z.int().min(0) }),
        }),
      )
      .max(400),
  }),
});

export type Receipt = z.infer<typeof receiptSchema>;
export type ReceiptClaims = Receipt['claims'];

/** What an approval binds of a receipt: its claims without times or raw output. */
export function claimsDigest(receipt: Receipt): Digest {
  return digestOfValue(receipt.claims);
}
