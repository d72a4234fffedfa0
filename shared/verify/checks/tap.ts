import { type ReportedTest, SAID } from './junit.ts';

// A buffered subtest opens a brace behind its point.
const point = /^\s*(not )?ok\b(?:\s+\d+)?(?:\s+-)?\s*(.*?)(?:\s+#\s*(skip|todo)\b.*?)?(?:\s*\{)?\s*$/i;
const plan = /^1\.\.(\d+)/;

/**
 * The test points of a TAP report (version 13 or 14, subtests indented), parents included; undefined when the text has no top
 * plan, fewer points than it says, or bails out: a report that stops in the middle says nothing.
 */
export function readTap(text: string): ReportedTest[] | undefined {
  const tests: { name: string; outcome: ReportedTest['outcome']; said?: string }[] = [];
  // Comments stand before the point they belong to, diagnostics behind it.
  let comments = '';
  let planned: number | undefined;
  let top = 0;
  let inDiagnostics = false;
  for (const line of text.split(/\r?\n/)) {
    const bare = line.trim();
    if (inDiagnostics) {
      const last = tests.at(-1);
      if (bare === '...') inDiagnostics = false;
      else if (last?.outcome === 'failed') last.said = `${last.said ?? ''}\n${bare}`.slice(0, SAID);
      continue;
    }
    if (bare === '---') {
      inDiagnostics = true;
      continue;
    }
    if (line.startsWith('Bail out!')) return undefined;
    const [, count] = plan.exec(line) ?? [];
    if (count !== undefined) planned = Number(count);
    const match = point.exec(line);
    if (match === null) {
      if (bare.startsWith('#')) comments = `${comments}\n${bare.slice(1).trim()}`.slice(0, SAID);
      continue;
    }
    if (!/^\s/.test(line)) top += 1;
    const outcome = match[3] !== undefined ? 'skipped' : match[1] === undefined ? 'passed' : 'failed';
    tests.push({ name: match[2] ?? '', outcome, ...(outcome === 'failed' ? { said: comments } : {}) });
    comments = '';
  }
  return planned !== undefined && top === planned ? tests : undefined;
}
