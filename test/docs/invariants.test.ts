import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { document, filesBelow, root } from './documents.ts';

const numbers = [...document('invariants.md').matchAll(/^- \*\*I(\d+)\*\* \S/gm)].map((match) => Number(match[1]));

it('the invariants are numbered without a gap', () => {
  expect(numbers.length).toBeGreaterThan(20);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

it('the simulation speaks of invariants that there are', () => {
  const named = filesBelow('test/simulation', '.ts').flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/\bI(\d{1,2})\b/g)].map((match) => Number(match[1])),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(numbers).toEqual(expect.arrayContaining(named));
});
