import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quote } from '../src/quote.js';

test('the parts of a quote add up', () => {
  const { cents, carriage, fuel, tracking } = quote({ grams: 2400, zone: 'europe', tracked: true });
  assert.equal(cents, carriage + fuel + tracking);
});

test('tracking costs extra', () => {
  const plain = quote({ grams: 500, zone: 'world' });
  const tracked = quote({ grams: 500, zone: 'world', tracked: true });
  assert.equal(tracked.cents - plain.cents, 115);
});

test('an unknown zone is refused by name', () => {
  assert.throws(() => quote({ grams: 500, zone: 'moon' }), /zone must be one of domestic, europe, world/);
});
