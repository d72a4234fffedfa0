import { revealed } from '../../domain/text/hidden.ts';
import { didWork } from '../checked.ts';
import type { Judged } from '../judge-change.ts';
import { reproductionCommand } from '../reproduction.ts';
import type { Bench } from '../runs/bench.ts';
import type { OwnCode } from '../trees/own-code.ts';
import { type CommandScope, scopesOfCommand } from './command-scope.ts';
import { uncheckedCode, uncheckedInWords } from './unchecked-code.ts';

type Ran = Pick<Judged, 'checks' | 'commands' | 'reproduction'>;

/** Adds which changed code belongs to a language, or to a project, of which nothing that ran on the change is known to run anything. */
export function weighUncheckedCode(
  bench: Bench,
  judged: Ran,
  change: { readonly changed: readonly string[]; readonly paths: readonly string[]; readonly own: OwnCode },
): void {
  const ran = whatRan(bench, judged, change.own);
  // Where nothing ran at all, that is what is said.
  if (ran.length === 0) return;
  const groups = uncheckedCode({ ...change, ran });
  if (groups.length > 0) bench.findings.concern('unchecked_code', revealed(uncheckedInWords(groups, ran)));
}

function whatRan(bench: Bench, { checks, commands, reproduction }: Ran, own: OwnCode): CommandScope[] {
  const { packet, declaration } = bench;
  const ofChecks = declaration.checks.filter(({ name }) =>
    checks.some((claim) => claim.name === name && didWork(claim)),
  );
  const ofPacket = packet.validation.commands.filter((_, index) => {
    const claim = commands[index];
    return claim !== undefined && didWork(claim);
  });
  const reproducing = reproduction !== null && didWork(reproduction) ? reproductionCommand(packet) : undefined;
  return [
    ...ofChecks.map(({ command }) => command),
    ...ofPacket,
    ...(reproducing === undefined ? [] : [reproducing]),
  ].flatMap((argv) => scopesOfCommand(argv, own.scriptOf));
}
