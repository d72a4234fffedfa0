import { describe, expect, it } from 'vitest';
import { newId, parseId } from '../../shared/domain/ids.ts';

describe('ids', () => {
  it('sort in the order they were made in, within a millisecond as well', () => {
    const made = Array.from({ length: 5_000 }, (_, index) =>
      newId('job', 1_700_000_000_000 + Math.floor(index / 1_000)),
    );
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });

  it('are parsed by kind, and nothing else is one', () => {
    const id = newId('request', 1_700_000_000_000);
    expect(parseId('request', id)).toBe(id);
    for (const text of [
      id.toUpperCase(),
      `${id} `,
      id.replace('req', 'job'),
      id.slice(0, -1),
      `${id}0`,
      '',
      'req_',
      "req_'; drop table",
    ])
      expect(parseId('request', text)).toBeUndefined();
  });
});
