import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderPullRequest } from '../../shared/evidence/markdown/pull-request.ts';
import { quoteBlock, quoteSpan } from '../../shared/evidence/markdown/quote.ts';
import { changeEvidence } from './facts.ts';

const HOSTILE = [
  '@everyone',
  '#1',
  '[x](http://evil.example)',
  '<img src=x onerror=alert(1)>',
  '```\n# out',
  '`` a `',
  '````text\nx\n````',
  '\n\n## Approved\n\n',
  '\u202egnp.exe',
  '![](https://evil.example/p.png)',
  'https://evil.example',
  '\u0000\u001b[31m',
  '&lt;b&gt;',
  '-->',
  '| a | b |',
  '\ud800',
];

/** Where a fenced block ends is the first line that is only backticks, at least as many as it began with (CommonMark 0.31 §4.5). */
function outsideCode(markdown: string): string {
  const kept: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const run = /^ {0,3}(`{3,})([^`]*)$/.exec(line);
    if (fence === undefined && run !== null) fence = run[1]!;
    else if (fence !== undefined && run !== null && run[2]!.trim() === '' && run[1]!.length >= fence.length)
      fence = undefined;
    else if (fence === undefined) kept.push(line);
  }
  expect(fence, 'every fence is closed').toBeUndefined();
  // Code spans: a run of backticks up to the next run of the same length.
  return kept.join('\n').replace(/(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g, '');
}

describe('pull request descriptions', () => {
  it('has its sections and what matters in them', () => {
    const text = renderPullRequest(changeEvidence(), 'sha256:evidence');
    expect(text.match(/^## .*$/gm)).toEqual([
      '## Summary',
      '## Original task',
      '## Reproduction',
      '## Plan',
      '## Diff',
      '## Validation',
      '## No-op or escalation',
      '## Residual risk',
      '## Rollback',
    ]);
    expect(text).toContain('`node --test` failed on the base and passes on the change');
    expect(text).toContain('`unit`: failed before, **passed** after (3 tests before, 3 after)');
    const { sandbox } = changeEvidence();
    expect(
      renderPullRequest({ ...changeEvidence(), sandbox: { ...sandbox, kind: 'process', isolation: 'none' } }, 'x'),
    ).toContain('not independent');
  });

  it('gives hostile text no power anywhere', () => {
    for (const hostile of HOSTILE) {
      const base = changeEvidence();
      const facts = {
        ...base,
        task: {
          ...base.task,
          goal: hostile,
          intent: hostile,
          source: { ...base.task.source, reference: hostile },
          nonGoals: [hostile],
        },
        plan: { ...base.plan, summary: hostile },
        change: { ...base.change, paths: [hostile] },
        station: { ...base.station, name: hostile, version: hostile },
        toolchain: [{ name: hostile, version: hostile, digest: null }],
        reproduction: {
          ...base.reproduction,
          kind: 'failed_before' as const,
          receipt: base.plan.digest,
          job: 'job',
          command: [hostile],
          summary: hostile,
        },
        validation: {
          ...base.validation,
          testsTouched: [hostile],
          checks: base.validation.checks.map((check) => ({ ...check, name: hostile })),
          scenarios: [{ name: hostile, result: 'passed' as const }],
        },
        risk: {
          ...base.risk,
          reasons: [{ signal: hostile, tier: 'high' as const, because: hostile }],
          residual: [hostile],
        },
        rollback: hostile,
      };
      const text = renderPullRequest(facts, 'sha256:x');
      const outside = outsideCode(text);
      expect(outside, hostile).not.toMatch(/[@#](?:everyone|1)|evil|<img|Approved|out$|&lt;|-->|\u202e|\|/m);
      expect(outside).not.toContain('\u001b');
      expect(outside.match(/^## /gm)).toHaveLength(9);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('property: no text ends its own quotation', () => {
    const any = fc.string({ unit: fc.constantFrom('`', '``', '```', '\n', ' ', 'x', '~', '\t', '\r', '\\') });
    fc.assert(
      fc.property(any, (text) => {
        expect(outsideCode(`${quoteBlock(text)}\nAFTER`)).toBe('AFTER');
        expect(outsideCode(`before ${quoteSpan(text)} after`)).toBe('before  after');
      }),
      { numRuns: 500 },
    );
  });

  it('stays under the limits of the code hosts whatever it is given', () => {
    const base = changeEvidence();
    const long = '`'.repeat(8_000);
    const facts = {
      ...base,
      rollback: long,
      task: { ...base.task, goal: long, intent: long, nonGoals: Array.from({ length: 100 }, () => long) },
      change: { ...base.change, paths: Array.from({ length: 200 }, () => 'p'.repeat(512)) },
      risk: { ...base.risk, residual: Array.from({ length: 50 }, () => long) },
    };
    expect(renderPullRequest(facts, 'x').length).toBeLessThan(65_000);
  });
});
