import { expect, test } from 'vitest';
import { type Failure, failureSignature } from '../../shared/domain/failure.ts';

const failure = (message: string): Failure => ({
  kind: 'retryable',
  class: 'transient_infra',
  code: 'AZURE-UNANSWERED',
  message,
});
const signature = (message: string): string => failureSignature('deliver', failure(message));

test('the same fault has one signature, whatever ids, numbers and digests it names', () => {
  const one = signature('answered 500 after 12 ms (correlation id 7f0f1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11)');
  expect(signature('answered 500 after 9 ms  (correlation id c0ffee00-dead-4bee-8fad-facadefaced0)')).toBe(one);
  expect(signature(`no blob ${'a1'.repeat(32)}`)).toBe(signature(`no blob ${'0f'.repeat(32)}`));
  expect(signature('no room for req_0mwqkigos8ywwv0pbm1y5bx45')).toBe(
    signature('no room for req_0mwqkop1ib7akjm0mrh7mygxr'),
  );
});

test('another fault has another', () => {
  const one = signature('answered 500');
  expect(signature('answered nothing')).not.toBe(one);
  expect(failureSignature('look', failure('answered 500'))).not.toBe(one);
  expect(
    failureSignature('deliver', { kind: 'needs_human', code: 'AZURE-UNANSWERED', question: 'answered 500' }),
  ).not.toBe(one);
});
