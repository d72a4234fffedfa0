import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainText } from '../../cli/output/terminal.ts';
import { assessRisk } from '../../shared/domain/risk/assess.ts';
import { addedLines } from '../../shared/domain/text/added-lines.ts';
import { deceptiveInDiff, deceptiveInPacket, placesInWords } from '../../shared/domain/text/deceptive.ts';
import { codePointName, hiddenIn, revealed } from '../../shared/domain/text/hidden.ts';
import { lookAlikesIn } from '../../shared/domain/text/look-alikes.ts';
import { quoteBlock, quoteSpan } from '../../shared/evidence/markdown/quote.ts';
import { goodPacket } from '../intake/packets.ts';
import { declarationOf, packetOf } from '../stations/packets.ts';

/** Texts in which a character of the kind belongs where it stands. */
const legitimate: readonly (readonly [string, string])[] = [
  ['tabs and line ends', 'one\ttwo\r\nthree\n'],
  ['a byte order mark', '\u{feff}use strict'],
  ['a family', '\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}'],
  ['a skin tone before a joiner', '\u{1f469}\u{1f3fd}\u{200d}\u{1f4bb}'],
  ['a heart as a picture', '\u{2764}\u{fe0f}\u{200d}\u{1f525}'],
  ['a keycap', '1\u{fe0f}\u{20e3}'],
  ['the flag of Scotland', '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
  ['Persian', '"\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}"'],
  ['Hindi', '"\u{915}\u{94d}\u{200d}\u{937}"'],
  ['Hebrew with a mark', '\u05e9\u05dc\u05d5\u05dd \u200fA'],
  ['a variant of a Han character', '\u{845b}\u{e0100}'],
  ['a page break', 'one\n\f\ntwo'],
  ['a Cyrillic identifier', 'const \u{438}\u{43c}\u{44f} = \u{441}\u{43e}\u{441}\u{43e};'],
  ['a Greek letter beside Latin ones', 'const \u{394}t = \u{3c1}_air * \u{3b1}1;'],
  ['Latin beyond ASCII', 'naïve façade Straße'],
  ['a micro sign', '10 \u{b5}s'],
];

const deceivers = [
  0x00, 0x07, 0x08, 0x0b, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x34f, 0x61c, 0x115f, 0x17b4, 0x180e, 0x200b, 0x200c, 0x200d,
  0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2061, 0x2064, 0x2066, 0x2067,
  0x2068, 0x2069, 0x206f, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe0001, 0xe0041, 0xe0100,
] as const;

describe('hidden characters', () => {
  test.each(legitimate)('are none: %s', (_, text) => {
    expect(hiddenIn(text)).toEqual([]);
    expect(lookAlikesIn(text)).toEqual([]);
    expect(revealed(text)).toBe(text);
  });

  const ascii = fc.stringMatching(/^[a-zA-Z_(){};=. ]{1,20}$/);
  const insertion = fc.tuple(ascii, fc.constantFrom(...deceivers), ascii);

  test('are found wherever they are put, and shown', () => {
    fc.assert(
      fc.property(insertion, ([before, code, after]) => {
        const text = before + String.fromCodePoint(code) + after;
        expect(hiddenIn(text)).toEqual([{ index: before.length, codePoint: code }]);
        const form = `⟨${codePointName(code)}⟩`;
        expect(revealed(text)).toBe(before + form + after);
        expect(plainText(text)).toBe(before + form + after);
        expect(quoteSpan(text)).toContain(form);
        expect(quoteBlock(text)).toContain(form);
      }),
      { numRuns: 1000 },
    );
  });

  test('are found beside legitimate ones, which are not', () => {
    fc.assert(
      fc.property(fc.constantFrom(...legitimate), insertion, ([, text], [before, code, after]) => {
        const whole = `${text}\n${before}${String.fromCodePoint(code)}${after}`;
        expect(hiddenIn(whole).map(({ codePoint }) => codePoint)).toEqual([code]);
      }),
      { numRuns: 1000 },
    );
  });

  test('are reported of every line that a diff adds, at its place, and of no other', () => {
    const line = fc.oneof(
      ascii.map((text) => ({ text, bad: false })),
      insertion.map(([before, code, after]) => ({ text: before + String.fromCodePoint(code) + after, bad: true })),
    );
    const change = fc.record({ mark: fc.constantFrom('+', '-', ' '), line });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
        const olds = changes.filter(({ mark }) => mark !== '+').length;
        const news = changes.filter(({ mark }) => mark !== '-').length;
        const body = changes.map(({ mark, line: { text } }) => `${mark}${text}\n`).join('');
        const patch = `diff --git a/a.js b/a.js\n--- a/a.js\n+++ b/a.js\n@@ -7,${olds} +7,${news} @@\n${body}`;
        let at = 6;
        const expected = changes.flatMap(({ mark, line: { bad } }) => {
          if (mark !== '-') at += 1;
          return mark === '+' && bad ? [`a.js:${at}`] : [];
        });
        expect(deceptiveInDiff(patch, []).map((place) => place.split(' ')[0])).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('words of two scripts', () => {
  test.each([
    ['\u{430}dmin', 'U+0430'],
    ['is\u{410}dmin', 'U+0410'],
    ['us\u{435}r_name', 'U+0435'],
    ['c\u{3bf}unt', 'U+03BF'],
  ])('that look like one: %s', (word, letter) => {
    expect(lookAlikesIn(`if (${word}) {`).map(({ codePoint }) => codePointName(codePoint))).toEqual([letter]);
    expect(deceptiveInDiff(`+++ b/x.js\n@@ -0,0 +1 @@\n+let ${word};\n`, [])).toEqual([
      expect.stringMatching(`^x\\.js:1 ${letter.replace('+', '\\+')} in the word `),
    ]);
  });

  test('are let be in prose', () => {
    expect(deceptiveInDiff('+++ b/x.md\n@@ -0,0 +1 @@\n+\u{430}pple\n', [])).toEqual([]);
  });
});

describe('added lines', () => {
  test('keep their numbers over hunks, removed lines and files without a last line end', () => {
    const patch =
      'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n@@ -9 +9,2 @@\n-d\n+++ e\n+f\n' +
      'diff --git "a/y\\303\\244" "b/y\\303\\244"\n--- /dev/null\n+++ "b/y\\303\\244"\n@@ -0,0 +1 @@\n+g\n';
    expect([...addedLines(patch)]).toEqual([
      { path: 'x', line: 2, text: 'c' },
      { path: 'x', line: 9, text: '++ e' },
      { path: 'x', line: 10, text: 'f' },
      { path: 'y\\303\\244', line: 1, text: 'g' },
    ]);
  });
});

describe('a packet', () => {
  const facts = { paths: ['a.js'], manifests: [], testPaths: [], pathCount: 1, linesAdded: 1, linesRemoved: 0 };
  const risk = (line: Record<string, unknown>) =>
    assessRisk({ packet: packetOf(line, {}), declaration: declarationOf({}), facts });

  test('whose patch adds hidden characters is of high risk before anything is measured', () => {
    const patch = 'diff --git a/a.js b/a.js\n--- a/a.js\n+++ b/a.js\n@@ -1 +1 @@\n-a\n+b /* \u202e */\n';
    expect(risk({ name: 'patch', patch })).toMatchObject({
      tier: 'high',
      reasons: expect.arrayContaining([
        expect.objectContaining({ signal: 'hidden_characters', because: expect.stringContaining('a.js:1 U+202E') }),
      ]),
    });
  });

  test('whose patch takes them away is not', () => {
    const patch = 'diff --git a/a.js b/a.js\n--- a/a.js\n+++ b/a.js\n@@ -1 +1 @@\n-b /* \u202e */\n+a\n';
    expect(risk({ name: 'patch', patch }).reasons.map(({ signal }) => signal)).not.toContain('hidden_characters');
  });

  test('whose fix holds them says where', () => {
    const rules = [{ id: 'r', language: 'javascript', rule: { pattern: 'a($A)' }, fix: '\u{430}b($A)' }];
    expect(deceptiveInPacket(packetOf({ name: 'api-migration', rules }, {}))).toEqual([
      'the packet/line/rules/0/fix U+0430 in the word \u{430}b',
    ]);
    expect(deceptiveInPacket(goodPacket())).toEqual([]);
  });

  test('with many places names the first', () => {
    expect(placesInWords(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a; b; c; d; e; and 2 more places');
  });
});
