import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonBounded } from '../../shared/intake/json.ts';
import { codes, refusalOf } from './packets.ts';

const LIMITS = { maxDepth: 8, maxBytes: 1_000_000 };
const parse = (text: string) => parseJsonBounded(Buffer.from(text), LIMITS);

describe('JSON from outside', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5, noUnicodeString: false }),
        fc.constantFrom(undefined, 1, '\t'),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          fc.pre(!text.includes('__proto__') && text.isWellFormed() && !/\\ud[89a-f]/i.test(text));
          expect(parse(text)).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['{"a":1,"a":2}', 'duplicate_key'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key'],
    ['[{"b":{"c":[1,{"d":1}],"c":2}}]', 'duplicate_key'],
    ['{"a":"\\ud800"}', 'malformed_text'],
    ['1e999', 'not_a_number'],
    ['{"__proto__":{}}', 'unknown_field'],
    ['{"\\u005f_proto__":{}}', 'unknown_field'],
    ['[[[[[[[[[1]]]]]]]]]', 'too_deep'],
    ['{"a":1,}', 'syntax'],
    ['', 'syntax'],
    ['"', 'syntax'],
    ['{"a":1,"a', 'syntax'],
  ])('refuses %s', (text, code) => {
    const refusal = refusalOf(() => parse(text));
    expect([refusal.status, refusal.code, codes(refusal.details)[0]?.split(' ')[1]]).toEqual([
      400,
      'FACTORY-JSON-INVALID',
      code,
    ]);
  });

  it('takes one key in different objects, and a value that equals a key', () => {
    expect(parse('{"a":"a","b":{"a":["a","a"]},"c":"b"}')).toEqual({ a: 'a', b: { a: ['a', 'a'] }, c: 'b' });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(refusalOf(() => parseJsonBounded(Uint8Array.of(0x22, 0xff, 0x22), LIMITS)).details[0]?.code).toBe(
      'encoding',
    );
  });

  it('refuses size first', () => {
    expect(refusalOf(() => parseJsonBounded(Buffer.from('[1]'), { maxDepth: 8, maxBytes: 2 })).status).toBe(413);
    expect(parseJsonBounded(Buffer.from('[1]'), { maxDepth: 8, maxBytes: 3 })).toEqual([1]);
  });
});
