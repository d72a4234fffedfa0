import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireWeight, stepsOf } from '../src/weight.js';

test('the first kilogram has no further steps', () => {
  assert.equal(stepsOf(1), 0);
  assert.equal(stepsOf(1000), 0);
});

test('a started step counts whole', () => {
  assert.equal(stepsOf(1001), 1);
  assert.equal(stepsOf(1501), 2);
});

test('weights that no tariff has are refused', () => {
  for (const grams of [0, -5, 1.5, 31_501, Number.NaN]) assert.throws(() => requireWeight(grams), RangeError);
});
