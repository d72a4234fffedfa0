import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmount, formatEuro, percentOf } from '../src/money.js';

test('a share of an amount that comes out even', () => {
  assert.equal(percentOf(1000, 10), 100);
});

test('an amount is formatted with two digits of cents', () => {
  assert.equal(formatAmount(1205, 'EUR'), '12.05 EUR');
});

test('the older name formats euros', () => {
  assert.equal(formatEuro(540), '5.40 EUR');
});
