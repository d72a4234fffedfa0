import type { Packet } from '../domain/packet/schema.ts';
import type { CheckClaim, RunClaim } from './receipt.ts';

/** What was run that could have said no. */
export type Checked = {
  readonly checks: readonly CheckClaim[];
  readonly commands: readonly RunClaim[];
  /** Whether hidden scenarios judge the change. */
  readonly hidden: boolean;
  /** Whether the reproduction passes on the change, where there is one. */
  readonly reproduced: boolean;
};

/** Whether a run did its work and had no complaint. */
export const didWork = ({ ending, passed }: Pick<RunClaim, 'ending' | 'passed'>): boolean =>
  passed && (ending === undefined || ending === 'passed' || ending === 'failed');

/** Whether nothing guards against regressions: no check, command or holdout ran that could have failed. The words say why. */
export function nothingChecked({ checks, commands, hidden, reproduced }: Checked): string | undefined {
  if (checks.some((check) => didWork(check) && !asAWhole(check))) return undefined;
  if (commands.some(didWork) || hidden) return undefined;
  const why = checks.length === 0 ? 'no check is declared' : checks.map(whyNothing).join(', ');
  return reproduced
    ? `the reproduction passes now, and nothing else was run that could fail (${why})`
    : `nothing was run that could fail (${why})`;
}

const asAWhole = ({ name, unstable }: CheckClaim): boolean =>
  unstable?.includes(`the check ${name} as a whole`) ?? false;

function whyNothing(check: CheckClaim): string {
  if (asAWhole(check)) return `check ${check.name} is unstable as a whole`;
  const words = { no_tests: 'collected no test', idle: 'checks nothing', did_not_run: 'did not run' } as const;
  const word =
    check.ending !== undefined && check.ending in words ? words[check.ending as keyof typeof words] : 'did not pass';
  return `check ${check.name} ${word}`;
}

/** Checks of tests that passed by exit code alone: nothing told which tests ran. */
export const withoutReport = (checks: readonly CheckClaim[]): string[] =>
  checks.filter((check) => check.kind === 'unit' && didWork(check) && check.counts === null).map(({ name }) => name);

/** Whether a check that runs tests had its say, so that changed code ran in the process of its tests. */
export const ranTestsOf = (checks: readonly CheckClaim[], packet: Packet): boolean =>
  checks.some((check) => check.kind === 'unit' && didWork(check)) ||
  (packet.reproduction !== undefined && 'command' in packet.reproduction);
