import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reindent } from '../../shared/domain/packet/fix-template.ts';
import { rewritten } from '../../shared/stations/api-migration/inside/rewrite.ts';
import { find, type Rule, ruleFault } from '../../shared/stations/api-migration/inside/rule.ts';
import { wordTest } from '../../shared/stations/api-migration/inside/words.ts';

type Recorded = { readonly of: string; readonly rule: Rule; readonly before: string; readonly after: string };
const { fixes } = JSON.parse(readFileSync(new URL('recorded-fixes.json', import.meta.url), 'utf8')) as {
  fixes: readonly Recorded[];
};
const ruleOf = ({ rule }: Recorded): Rule => ({ ...rule, id: 'rule', language: rule.language.toLowerCase() as 'css' });

describe('a fix', () => {
  test.each(fixes.map((fix) => [fix.of, fix] as const))('is made as ast-grep makes it: %s', (_, fix) => {
    const rule = ruleOf(fix);
    expect(ruleFault(rule)).toBeUndefined();
    expect(rewritten(rule.language, fix.before, rule)).toBe(fix.after);
  });

  test.each(fixes.map((fix) => [fix.of, fix] as const))('keeps CRLF, whatever its own line ends are: %s', (_, fix) => {
    const rule = ruleOf(fix);
    const crlf = (text: string) => text.replaceAll('\n', '\r\n');
    for (const template of [rule.fix, crlf(rule.fix)]) {
      const after = rewritten(rule.language, crlf(fix.before), { ...rule, fix: template });
      expect(after).toBe(crlf(fix.after));
    }
    expect(rewritten(rule.language, fix.before, { ...rule, fix: crlf(rule.fix) })).toBe(fix.after);
  });

  test('that matches its own rule comes to an end', () => {
    const rule: Rule = { id: 'r', language: 'javascript', rule: { pattern: 'f($$$A)' }, fix: 'f($$$A, f(x), f(y))' };
    expect(find('javascript', rewritten('javascript', 'f(1);', rule), rule).length).toBeGreaterThan(0);
  });

  test('moved by an indentation and back is the same', () => {
    const line = fc.stringMatching(/^ {0,4}[a-z]{0,3}$/);
    fc.assert(
      fc.property(fc.array(line), fc.nat(8), (lines, by) => {
        const text = lines.join('\n');
        expect(reindent(reindent(text, 0, by), by, 0)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the words of a rule', () => {
  const name = fc.constantFrom('alpha', 'beta', 'gamma');
  const pattern = fc
    .tuple(name, fc.constantFrom('()', '($A)', '($$$A)', '.x($A)', '($A, "beta")'))
    .map((it) => it.join(''));
  const rule: fc.Arbitrary<Record<string, unknown>> = fc.letrec<{ rule: Record<string, unknown> }>((tie) => ({
    rule: fc.oneof(
      { depthSize: 'small' },
      pattern.map((it) => ({ pattern: it })),
      fc.record({ pattern, inside: fc.record({ pattern, stopBy: fc.constant('end') }) }),
      fc.record({ kind: fc.constant('call_expression'), regex: name }),
      fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
      fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
      fc.tuple(pattern, tie('rule')).map(([it, not]) => ({ pattern: it, not })),
      fc.tuple(pattern, tie('rule')).map(([it, has]) => ({ pattern: it, has: { ...has, stopBy: 'end' } })),
    ),
  })).rule;
  const call: fc.Arbitrary<string> = fc.letrec<{ call: string }>((tie) => ({
    call: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('1', '"beta"', 'gamma'),
      fc
        .tuple(name, fc.constantFrom('', '.x'), fc.array(tie('call'), { maxLength: 2 }))
        .map(([of, member, items]) => `${of}${member}(${items.join(', ')})`),
    ),
  })).call;

  test('never rule out a text in which the rule matches', () => {
    let matched = 0;
    fc.assert(
      fc.property(rule, fc.array(call, { maxLength: 4 }), (of, calls) => {
        const text = calls.map((it) => `${it};\n`).join('');
        const found = find('javascript', text, { id: 'r', language: 'javascript', rule: of, fix: '' });
        if (found.length === 0) return;
        matched += 1;
        expect(wordTest(of)(text)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(matched).toBeGreaterThan(100);
  });

  test.each<[string, Record<string, unknown>, boolean]>([
    ['a name that is not there', { pattern: 'oldName($A)' }, false],
    ['one of two that is there', { any: [{ pattern: 'oldName($A)' }, { pattern: 'other($A)' }] }, true],
    ['a kind alone', { kind: 'call_expression' }, true],
    ['a comment', { pattern: '/* oldName */ other($A)' }, true],
    ['something that may not be', { pattern: 'other($A)', not: { pattern: 'oldName($A)' } }, true],
    ['a capitalised variable', { pattern: '$OLD($A)' }, true],
  ])('%s', (_, of, may) => {
    expect(wordTest(of)('other(1);')).toBe(may);
  });
});
