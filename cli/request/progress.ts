import type { JobResource, NodeResource, RequestResource } from '../api/resources.ts';
import { bold, dim, plainText, styled } from '../output/terminal.ts';

const WAITING_SHOWN = 5;

/** Prints what is new since the last change, a line a step. */
export function progressPrinter(
  print: (line: string) => void,
): (request: RequestResource, nodes: readonly NodeResource[]) => void {
  const shown = new Set<string>();
  let phase = '';
  const once = (key: string, line: string): void => {
    if (shown.has(key)) return;
    shown.add(key);
    print(line);
  };
  return (request, nodes) => {
    for (const node of nodes) {
      if (node.kind === 'decide' || !['succeeded', 'failed'].includes(node.state)) continue;
      const risk = node.risk === null ? '' : dim(` risk ${node.risk}`);
      const summary = node.summary === null ? '' : dim(` ${plainText(node.summary)}`);
      once(`${node.name}.${node.round}`, `  ${node.name.padEnd(16)} ${node.verdict ?? node.state}${risk}${summary}`);
    }
    if (request.phase !== phase && request.phase !== 'done') {
      phase = request.phase;
      print(dim(`  … ${phase.replaceAll('_', ' ')}`));
    }
  };
}

/** What queued jobs wait for, a line each. */
export function waitingLines(queued: readonly JobResource[]): string[] {
  return queued.slice(0, WAITING_SHOWN).map(({ node, pool, waiting }) => {
    const step = `  … ${plainText(node)} waits`;
    if (waiting?.for === 'time') return `${step} until ${waiting.until} to be tried again`;
    if (waiting?.for !== 'worker') return `${step} in pool ${pool}`;
    const before = waiting.ahead === 0 ? 'next in line' : `${waiting.ahead} before it`;
    return `${step} for a free worker of pool ${pool}, ${before}`;
  });
}

/** How a request ended, with what a person needs to go on. */
export function endingLines(request: RequestResource): string[] {
  const { conclusion } = request;
  const lines = [bold(`${request.terminal ?? request.state}`) + dim(` ${request.id}`)];
  const say = (label: string, text: string | number | undefined): void => {
    if (text !== undefined && text !== '') lines.push(`  ${label.padEnd(10)} ${plainText(String(text))}`);
  };
  say('cost', request.costs.map(({ amount, currency }) => `${amount} ${currency}`).join(', '));
  if (request.defects > 0) say('defects', `${request.defects}: see factory defects ${request.id}`);
  if (conclusion === null) return lines;
  say('code', conclusion.code);
  say('question', conclusion.question);
  if (conclusion.tried !== undefined && conclusion.tried.length > 0) say('tried', conclusion.tried.join('; '));
  say('proof', conclusion.proof);
  say('class', conclusion.class);
  say('signature', conclusion.signature);
  say('attempts', conclusion.attempts);
  say('message', conclusion.message);
  say('by', conclusion.by);
  say('reason', conclusion.reason);
  if (request.terminal === 'ESCALATE') lines.push(styled('dim', `  answer it with: factory answer ${request.id} "…"`));
  return lines;
}
