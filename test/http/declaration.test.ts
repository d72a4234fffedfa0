import { afterAll, beforeAll, expect, test } from 'vitest';
import { declaration, expectStatus, installBench } from './bench-line.ts';
import { type ControlProcess, startControl } from './control-process.ts';

let control: ControlProcess;
let application: string;

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control);
});
afterAll(() => control.stop());

test('a declaration that changes what judges is proposed, shown to a policy owner, and in force when they approve', async () => {
  const path = `/applications/${application}`;
  const before = String(expectStatus(await control.call('GET', path, { as: 'operator' }), 200)['declaration']);
  const weaker = { ...declaration, checks: [], scenarios: [] };
  const answer = await control.call('PUT', path, { as: 'operator', json: weaker });
  const proposed = expectStatus(answer, 202);
  expect(proposed['declaration']).toBe(before);
  const approval = `/approvals/${proposed['approval']}`;
  expect(answer.headers.get('location')).toBe(`/api/v1${approval}`);
  expect((await control.call('GET', approval, { as: 'requester' })).status).toBe(404);
  const shown = expectStatus(await control.call('GET', approval, { as: 'policy-owner' }), 200);
  expect(shown).toMatchObject({
    type: 'installation',
    state: 'open',
    request: null,
    installation: null,
    body: { type: 'declaration', from: before, changes: ['checks'] },
    rendered: { changes: [{ field: 'checks', before: [{ name: 'unit' }], after: [] }] },
  });
  const listed = expectStatus(await control.call('GET', '/approvals', { as: 'policy-owner' }), 200);
  expect(listed['items']).toMatchObject([{ id: proposed['approval'] }]);
  const decide = (as: string) =>
    control.call('POST', `${approval}/decisions`, {
      as,
      json: { decision: 'approve', subject: proposed['subject'], reason: 'There is nothing to check.' },
    });
  expect((await decide('approver')).status).toBe(403);
  expectStatus(await decide('policy-owner'), 200);
  const after = expectStatus(await control.call('GET', path, { as: 'operator' }), 200);
  expect(after['declaration']).toBe((shown['body'] as unknown as { to: string }).to);
  expectStatus(await control.call('PUT', path, { as: 'operator', json: weaker }), 200);
});
