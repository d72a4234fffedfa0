import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PlaneApi } from '../../cli/api/plane-api.ts';
import { readResource } from '../../cli/api/read.ts';
import { effectResource, pageResource, type RequestResource } from '../../cli/api/resources.ts';
import { CommandFailure } from '../../cli/failure.ts';
import { bold, dim, plainText, print } from '../../cli/output/terminal.ts';
import { type FiveAnswers, fiveAnswers, QUESTIONS } from '../../cli/request/answers.ts';
import { gatherBundleFile, readKeys } from '../../cli/request/evidence-file.ts';
import { endingLines } from '../../cli/request/progress.ts';
import { verifyBundleFile } from '../../shared/evidence/bundle-file.ts';

const SHOWN_LENGTH = 160;

/** Prints how a request ended, its branch, its evidence file, the five answers and what the offline verification says. */
export async function showEnding(
  requester: PlaneApi,
  request: RequestResource,
  packet: string,
  directory: string,
): Promise<void> {
  print();
  print(`${bold(packet)}: ${plainText(request.title)}`);
  for (const line of endingLines(request)) if (!line.includes('factory answer')) print(`  ${line}`);
  const effects = await readResource(requester, pageResource(effectResource), `/requests/${request.id}/effects`);
  const push = effects.items.find((effect) => effect.kind === 'git_push');
  print(
    `  branch     ${push === undefined ? 'none: nothing was delivered' : push.target.replace(/^.*:refs\/heads\//, '')}`,
  );
  const file = path.join(directory, `${packet}.evidence.json`);
  writeFileSync(file, await gatherBundleFile(requester, request));
  print(`  evidence   ${file}`);
  const verdict = verifyBundleFile(readFileSync(file, 'utf8'), { keys: await readKeys(requester) });
  if (!verdict.ok || verdict.facts?.kind !== 'evidence_bundle')
    throw new CommandFailure(
      `The evidence of ${packet} does not verify: ${verdict.faults.map((fault) => fault.message).join('; ')}`,
    );
  print(`  verified   offline: signature, digest chain, ${verdict.artifacts.checked.length} artifacts`);
  printAnswers(fiveAnswers(verdict.facts.facts));
}

function printAnswers(answers: FiveAnswers): void {
  for (const key of Object.keys(QUESTIONS) as (keyof FiveAnswers)[]) {
    const [first = '', ...rest] = answers[key];
    // The last line of what ran is the step that decided; the others are in `factory explain`.
    const said =
      key === 'ran' && rest.length > 0 ? `${rest.length} jobs and tools, last: ${rest.at(-1) ?? first}` : first;
    print(
      `  ${QUESTIONS[key].padEnd(22)} ${said.slice(0, SHOWN_LENGTH)}${rest.length > 0 && key !== 'ran' ? dim(` (+${rest.length} more)`) : ''}`,
    );
  }
}
