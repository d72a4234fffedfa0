import assert from 'node:assert/strict';
import { test } from 'node:test';
import { label } from '../src/label.js';

test('the town is in capitals', () => {
  const address = { recipient: 'The Mill', street: 'Millway 1', postcode: '8000', town: 'Zürich' };
  assert.equal(label(address), 'The Mill\nMillway 1\n8000 ZÜRICH');
});
