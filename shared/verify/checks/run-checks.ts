import { CHECK_KINDS, type Check } from '../../domain/application/declaration.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import type { Bench } from '../runs/bench.ts';
import { checkOut } from '../runs/checkout.ts';
import type { Checkout } from '../runs/run-program.ts';
import type { OwnCode } from '../trees/own-code.ts';
import { type CheckRun, runCheck } from './run-check.ts';

/** A smoke check needs what the build left; all other checks start from the tree's own bytes. */
const shared: ReadonlySet<Check['kind']> = new Set(['build', 'migration', 'smoke']);

/** The checks this packet asks for, in the order format, lint, unit, types, build, migration, smoke. */
export function selectChecks({ packet, declaration }: Bench): {
  readonly run: readonly Check[];
  readonly left: readonly string[];
} {
  const wanted = packet.validation.checks;
  const unknown = wanted.find((name) => !declaration.checks.some((check) => check.name === name));
  if (unknown !== undefined) {
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'CHECK-UNKNOWN',
      question: `The packet asks for the check ${unknown}, which ${declaration.name} does not declare. Declare it, or take it out of validation.checks?`,
    });
  }
  const ordered = declaration.checks.toSorted((a, b) => CHECK_KINDS.indexOf(a.kind) - CHECK_KINDS.indexOf(b.kind));
  const isWanted = (check: Check) => wanted.length === 0 || wanted.includes(check.name);
  return { run: ordered.filter(isWanted), left: ordered.filter((check) => !isWanted(check)).map(({ name }) => name) };
}

/** Runs the selected checks on a tree, one after the other. */
export async function runChecks(
  bench: Bench,
  repository: string,
  tree: TreeId,
  stage: 'base' | 'changed',
  own: OwnCode,
): Promise<CheckRun[]> {
  const runs: CheckRun[] = [];
  let built: Checkout | undefined;
  for (const check of selectChecks(bench).run) {
    const title = `check ${check.name} on the ${stage} tree`;
    const keeps = shared.has(check.kind);
    const checkout = (keeps ? built : undefined) ?? (await checkOut(bench, repository, tree, title));
    if (keeps) built = checkout;
    runs.push(await runCheck(bench, checkout, check, title, own));
    if (!keeps) await checkout.discard();
  }
  await built?.discard();
  return runs;
}

/** Runs one check again, in a checkout of its own; a smoke check after the build that it needs. */
export async function runAgain(
  bench: Bench,
  repository: string,
  tree: TreeId,
  stage: 'base' | 'changed',
  name: string,
  own: OwnCode,
): Promise<CheckRun | undefined> {
  const selected = selectChecks(bench).run;
  const check = selected.find((candidate) => candidate.name === name);
  if (check === undefined) return undefined;
  const title = `check ${name} on the ${stage} tree, once more`;
  const checkout = await checkOut(bench, repository, tree, title);
  const before = shared.has(check.kind)
    ? selected.slice(0, selected.indexOf(check)).filter(({ kind }) => shared.has(kind))
    : [];
  for (const needed of before) await runCheck(bench, checkout, needed, `check ${needed.name} before ${title}`, own);
  const run = await runCheck(bench, checkout, check, title, own);
  await checkout.discard();
  return run;
}
