import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readControlSettings } from '../../shared/config/control.ts';
import { formatMoney, parseMoney } from '../../shared/domain/cost/money.ts';
import { monthOf, nextMonth } from '../../shared/domain/cost/month.ts';
import { costOf, parsePriceTable } from '../../shared/domain/cost/price-table.ts';

describe('money', () => {
  it('is exact text outside and whole micro-units inside', () => {
    expect(['0', '1', '1.5', '0.000001', '999999999.999999'].map(parseMoney)).toEqual([
      0, 1_000_000, 1_500_000, 1, 999_999_999_999_999,
    ]);
    expect([0, 1, 1_500_000, 1_234_567].map(formatMoney)).toEqual(['0.00', '0.000001', '1.50', '1.234567']);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (micros) => {
        expect(parseMoney(formatMoney(micros))).toBe(micros);
      }),
    );
  });

  it.each(['', '-1', '+1', '01', '1.', '.5', '1e3', '1,5', '0.0000001', '1000000000', ' 1', 'NaN'])(
    'refuses %j',
    (text) => {
      expect(parseMoney(text)).toBeUndefined();
    },
  );
});

describe('a cost', () => {
  it('is the quantity at its price for a thousand, rounded half up, however large', () => {
    // 24 ten-millionths a second for a minute and a half.
    expect(costOf(90_000, 24_000)).toBe(2_160);
    expect([costOf(1, 499_999), costOf(1, 500_000)]).toEqual([0, 1]);
    expect(costOf(604_800_000, 10_000_000_000)).toBe(6_048_000_000_000);
  });

  it('belongs to a month by UTC', () => {
    const last = Date.UTC(2026, 11, 31, 23, 59, 59, 999);
    expect([monthOf(last), monthOf(last + 1), nextMonth(last)]).toEqual(['2026-12', '2027-01', last + 1]);
  });
});

describe('the price table', () => {
  const given = { version: '2026-11', currency: 'EUR', perSecond: { build: '0.000024', verify: '0.0000124' } };
  const enough = { FACTORY_DATA: 'data', FACTORY_SERVICE_BUS: 'Endpoint=sb://127.0.0.1', FACTORY_IDENTITY: 'local' };

  it('is read from the setting, and absent without it', () => {
    expect(readControlSettings(enough).prices).toBeUndefined();
    const { prices } = readControlSettings({ ...enough, FACTORY_PRICES: JSON.stringify(given) });
    expect(prices).toMatchObject({ version: '2026-11', currency: 'EUR' });
    expect([...(prices?.perSecond ?? [])]).toEqual([
      ['build', 24_000],
      ['verify', 12_400],
    ]);
  });

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['a pool that there is not', { ...given, perSecond: { forge: '1' } }, 'perSecond'],
    ['a price as a float', { ...given, perSecond: { build: 0.1 } }, 'perSecond.build'],
    ['a price of more digits than are counted', { ...given, perSecond: { build: '0.0000000001' } }, '9 digits'],
    ['a price that is a typing error', { ...given, perSecond: { build: '24' } }, 'at most 10 a second'],
    ['a currency by its sign', { ...given, currency: '€' }, 'ISO 4217'],
    ['a table without a version', { ...given, version: '' }, 'version'],
  ])('%s keeps the plane from starting, in words', (_what, table, words) => {
    const json = typeof table === 'string' ? table : JSON.stringify(table);
    expect(parsePriceTable(json)).toContain(words);
    expect(() => readControlSettings({ ...enough, FACTORY_PRICES: json })).toThrow(/FACTORY_PRICES: is no price table/);
  });
});
