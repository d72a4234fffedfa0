import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { syntaxErrors } from '../../shared/stations/work/parsers/inside/syntax-errors.ts';
import type { Language } from '../../shared/stations/work/parsers/languages.ts';

/** Whole texts of each language, from parts that can be put together in any number. */
const parts: Readonly<Partial<Record<Language, readonly string[]>>> = {
  javascript: [
    'f(1, [2, 3]);\n',
    'if (a) { b(); }\n',
    'const g = (x) => ({ y: x });\n',
    'class A { m() { return [1]; } }\n',
  ],
  typescript: ['let a: Map<string, number[]> = f();\n', 'type T = { a: (b: string) => void };\n', 'enum E { A = 1 }\n'],
  tsx: ['const a = <B c={(d: string) => [d]}>{e}</B>;\n', 'f<T>(<i />);\n'],
  css: ['a { color: red }\n', '@media (min-width: 1px) { b { margin: 0 } }\n', 'c[d="e"] { background: url("f") }\n'],
};
const closers = /[)\]}]/g;

describe('a text of a language', () => {
  const language = fc.constantFrom(...(Object.keys(parts) as Language[]));
  const text = language.chain((of) =>
    fc
      .array(fc.constantFrom(...(parts[of] ?? [])), { minLength: 1, maxLength: 6 })
      .map((chosen) => ({ of, text: chosen.join('') })),
  );

  test('is sound whole, and never with a bracket less', () => {
    fc.assert(
      fc.property(text, fc.nat(), ({ of, text: whole }, choice) => {
        expect(syntaxErrors(of, 'a.x', whole)).toEqual([]);
        const places = [...whole.matchAll(closers)].map(({ index }) => index);
        const at = places[choice % places.length] ?? 0;
        expect(syntaxErrors(of, 'a.x', whole.slice(0, at) + whole.slice(at + 1))).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('that is JSON is sound whole, and never cut short', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (value, choice) => {
        const whole = JSON.stringify(value);
        expect(syntaxErrors('json', 'a.json', whole)).toEqual([]);
        expect(syntaxErrors('json', 'a.json', whole.slice(0, 1 + (choice % (whole.length - 1))))).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
