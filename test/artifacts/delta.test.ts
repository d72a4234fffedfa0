import { applyPatch as applyUnified } from 'diff';
import fc from 'fast-check';
import { applyPatch, type Operation } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { DELTA_INPUT_BYTES, type Delta, delta } from '../../shared/artifacts/delta.ts';
import { canonicalJson, digestOfBytes } from '../../shared/domain/digest.ts';

/** What a reader does with a delta, as its documentation says. */
function applied(change: Delta, from: Uint8Array): Buffer {
  if (change.form === 'whole') return Buffer.from(change.bytes);
  const text = Buffer.from(change.bytes).toString('utf8');
  const before = Buffer.from(from).toString('utf8');
  if (change.form === 'unified-diff') {
    const result = applyUnified(before, text, { autoConvertLineEndings: false });
    if (result === false) throw new Error('the diff does not apply');
    return Buffer.from(result);
  }
  const operations: Operation[] = JSON.parse(text);
  const holder: { document: unknown } = { document: JSON.parse(before) };
  const rooted = operations.map((operation) => ({
    ...operation,
    path: `/document${operation.path}`,
    ...('from' in operation ? { from: `/document${operation.from}` } : {}),
  })) as Operation[];
  if (applyPatch(holder, rooted).some((result) => result !== null)) throw new Error('the patch does not apply');
  return Buffer.from(canonicalJson(holder.document));
}

const bytes = (text: string): Buffer => Buffer.from(text);
const json = (value: unknown): Buffer => bytes(canonicalJson(value));

describe('delta', () => {
  it('takes a JSON Patch for a small change of a large canonical document', () => {
    const items = Array.from({ length: 200 }, (_, index) => ({
      id: index,
      title: `item number ${index}`,
      state: 'open',
    }));
    const from = json({ items });
    const to = json({
      items: items.filter((item) => item.id !== 50).map((item) => (item.id === 3 ? { ...item, state: 'done' } : item)),
    });
    const change = delta(from, to, 'application/json');
    expect(change.form).toBe('json-patch');
    expect(change.mediaType).toBe('application/json-patch+json');
    expect(change).toMatchObject({ from: digestOfBytes(from), to: digestOfBytes(to) });
    expect(change.bytes.byteLength).toBeLessThan(200);
    expect(applied(change, from).equals(to)).toBe(true);
  });

  it('takes a unified diff for text, and for JSON whose bytes are not canonical', () => {
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index} of some text that is long enough`);
    const from = bytes(`${lines.join('\n')}\n`);
    const to = bytes(`${lines.with(100, 'another line').join('\n')}\n`);
    expect(delta(from, to, 'text/plain').form).toBe('unified-diff');
    const pretty = (value: unknown): Buffer => bytes(JSON.stringify(value, null, 2));
    const document = Object.fromEntries(lines.map((line, index) => [`key${index}`, line]));
    const change = delta(pretty(document), pretty({ ...document, key7: 'x' }), 'application/json');
    expect(change.form).toBe('unified-diff');
    expect(applied(change, pretty(document)).equals(pretty({ ...document, key7: 'x' }))).toBe(true);
  });

  it('answers the whole when it is smaller, binary, too large or of another root', () => {
    const whole = (from: Buffer, to: Buffer, type = 'application/octet-stream'): void => {
      const change = delta(from, to, type);
      expect(change.form).toBe('whole');
      expect(Buffer.from(change.bytes).equals(to)).toBe(true);
    };
    whole(bytes('a'), bytes('b'), 'text/plain');
    whole(Buffer.from([0xff, 0xfe, 0x00]), Buffer.from([0xff, 0xfd, 0x00]));
    whole(Buffer.alloc(DELTA_INPUT_BYTES + 1, 97), Buffer.alloc(10, 97), 'text/plain');
    whole(json([1]), json({ a: 1 }), 'application/json');
  });

  it('keeps line endings, missing final line feeds and members called __proto__', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `row ${index} ....................`);
    for (const [from, to] of [
      [lines.join('\r\n'), lines.with(5, 'changed').join('\r\n')],
      [`${lines.join('\n')}\n`, lines.join('\n')],
      [lines.join('\n'), `${lines.join('\r\n')}`],
    ] as const) {
      expect(applied(delta(bytes(from), bytes(to), 'text/plain'), bytes(from)).toString()).toBe(to);
    }
    const hostile = bytes(`{"__proto__":{"polluted":true},"a":"${'x'.repeat(500)}"}`);
    expect(delta(json({ a: 'x'.repeat(500) }), hostile, 'application/json').form).not.toBe('json-patch');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('gives a bounded answer for two long unlike lists', () => {
    const from = json(Array.from({ length: 20_000 }, (_, index) => index));
    const to = json(Array.from({ length: 20_000 }, (_, index) => index * 7));
    expect(applied(delta(from, to, 'application/json'), from).equals(to)).toBe(true);
  });

  it('property: applying any delta of two JSON documents gives the second', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (one, two) => {
        const from = json(one);
        const to = json(two);
        const change = delta(from, to, 'application/json');
        expect(applied(change, from).equals(to)).toBe(true);
        expect(change.bytes.byteLength).toBeLessThanOrEqual(to.byteLength);
      }),
      { numRuns: 300 },
    );
  });

  it('property: applying any delta of two texts or byte strings gives the second', () => {
    const text = fc
      .array(
        fc.constantFrom('alpha', 'beta', '', 'gamma\r', '\\ No newline at end of file', '--- a', '@@ -1 +1 @@', 'é'),
        { maxLength: 60 },
      )
      .map((lines) => bytes(lines.join('\n')));
    const any = fc.oneof(
      text,
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(any, any, (from, to) => {
        expect(applied(delta(from, to, 'text/plain'), from).equals(to)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
