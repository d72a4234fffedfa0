import { hasHoldouts } from '../domain/application/holdouts.ts';
import { digestOfValue } from '../domain/digest.ts';
import type { TaskContext } from '../jobs/task.ts';
import { type FetchedEnvironment, wheelsDigest } from '../stations/python/environment-archive.ts';
import { lineOf } from '../stations/work/inputs.ts';
import { selectChecks } from './checks/run-checks.ts';
import { type Receipt, type ReceiptClaims, receiptSchema } from './receipt.ts';
import type { Bench } from './runs/bench.ts';

/** What was not verified, for whatever stage: what the job met, what no receipt can claim, what the packet does not ask for. */
export const notVerified = (bench: Bench): string[] =>
  [
    ...bench.findings.caveats(),
    ...standingCaveats(bench),
    ...selectChecks(bench).left.map((name) => `check ${name}: the packet does not ask for it`),
  ].slice(0, 100);

/** The files that decide about tests: of the base as they are, and those that came from elsewhere. */
export const testsClaim = (
  fromBase: readonly string[],
  fromChange: readonly string[],
): Pick<ReceiptClaims, 'tests'> => ({
  tests: {
    fromBase: fromBase.length,
    fromBaseDigest: digestOfValue(fromBase.toSorted()),
    fromChange: fromChange.slice(0, 200),
  },
});

/** What can't be claimed by any receipt of this verifier, said in each. */
function standingCaveats(bench: Bench): string[] {
  const caveats: string[] = [];
  if (bench.declaration.checks.length > 0)
    caveats.push(
      'changed code runs in the same process as the tests of the declared checks and could influence what they report; hidden scenarios do not share it',
    );
  if (!hasHoldouts(bench.declaration)) caveats.push('the application declares no hidden scenario');
  if (bench.packet.validation.scenarios.length > 0)
    caveats.push(
      'every hidden scenario of the application is run on the change; whether those that the packet names are among them is not told',
    );
  if (bench.sandbox.isolation === 'none')
    caveats.push('programs ran without isolation: this receipt is not independent of the code it judges');
  return caveats;
}

/** Claims that say the same for every stage. */
export function commonClaims(
  bench: Bench,
): Pick<ReceiptClaims, 'packet' | 'declaration' | 'sandbox' | 'environment' | 'unprepared'> {
  const { kind, isolation, limits, versions } = bench.sandbox;
  return {
    packet: digestOfValue(bench.packet),
    declaration: digestOfValue(bench.declaration),
    ...(bench.preparation.failed ? { unprepared: true as const } : {}),
    sandbox: { kind, isolation, limits, versions: { ...versions, ...bench.toolchains.versions } },
    ...(bench.environment === null ? {} : { environment: environmentClaim(bench.environment) }),
  };
}

function environmentClaim(environment: FetchedEnvironment): NonNullable<ReceiptClaims['environment']> {
  const { python, wheels, resolvedAt } = environment;
  return {
    python,
    wheels: wheels.length,
    digest: wheelsDigest(environment),
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
  };
}

/** Writes the outputs `receipt` and, when programs ran, `log`. */
export async function writeReceipt(context: TaskContext, bench: Bench, claims: ReceiptClaims): Promise<Receipt> {
  const receipt = receiptSchema.parse({
    schemaVersion: 1,
    claims,
    observations: bench.recorder.observations(lineOf(bench.packet)),
  });
  await context.output({
    name: 'receipt',
    kind: 'receipt',
    mediaType: 'application/json',
    bytes: JSON.stringify(receipt, null, 2),
  });
  await writeLog(context, bench);
  return receipt;
}

/** The output that matters, for people; written for a failed attempt too. */
export async function writeLog(context: TaskContext, bench: Bench): Promise<void> {
  const log = bench.recorder.log();
  if (log !== '')
    await context.output({ name: 'log', kind: 'log', mediaType: 'text/plain; charset=utf-8', bytes: log });
}
