import { appendFileSync } from 'node:fs';
import { recorder } from './recorder.ts';
import { traced } from './spans.ts';

/**
 * Named places where a process may die. Every commit, send and settle goes through `crossing`, which has one point on each
 * side; the torture run kills at each in turn, and a build check fails when a commit, send or settle bypasses it.
 *
 * Inert unless FACTORY_CRASH_AT is set to `<point>` or `<point>#<n>` (the n-th time it is passed, first by default): then the
 * process kills itself with SIGKILL there. FACTORY_CRASH_LOG names a file to which each death is appended, so that a run can prove it died where it was told to.
 */
export const CROSSINGS = [
  'store.commit',
  'artifact.write',
  'anchor.write',
  'incarnation.open',
  'outbox.send',
  'outbox.start',
  'outbox.nudge',
  'outbox.seal',
  'worker.claim',
  'worker.upload',
  'worker.complete',
  'worker.fail',
  'effect.intend',
  'effect.push',
  'effect.pull_request',
  'effect.deployment',
  'effect.verify',
] as const;
export type Crossing = (typeof CROSSINGS)[number];
export type CrashPoint = `${Crossing}.${'before' | 'after'}`;

export const CRASH_POINTS: readonly CrashPoint[] = CROSSINGS.flatMap(
  (crossing) => [`${crossing}.before`, `${crossing}.after`] as const,
);

const [armedPoint, armedCount] = (process.env['FACTORY_CRASH_AT'] ?? '').split('#');
let left = Number(armedCount ?? '1');

/** Dies here when this point is armed. */
export function crashPoint(point: CrashPoint): void {
  if (point !== armedPoint || --left > 0) return;
  const log = process.env['FACTORY_CRASH_LOG'];
  if (log !== undefined) appendFileSync(log, `${point} ${process.pid}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** Crossings that are spans of what they are part of. The relay, which knows what caused a delivery, makes its own; commits are named by their command. */
const SPANNED = /^(worker|effect|artifact)\./;

/** Runs an asynchronous step with a crash point on each side; within a span, as a span of its own. */
export async function crossing<T>(name: Crossing, step: () => Promise<T>): Promise<T> {
  crashPoint(`${name}.before`);
  const spanned = recorder() !== undefined && SPANNED.test(name);
  const value = spanned ? await traced({ name, kind: 'internal' }, step) : await step();
  crashPoint(`${name}.after`);
  return value;
}

/** The synchronous form, for commits on an embedded database. */
export function crossingSync<T>(name: Crossing, step: () => T): T {
  crashPoint(`${name}.before`);
  const value = step();
  crashPoint(`${name}.after`);
  return value;
}
