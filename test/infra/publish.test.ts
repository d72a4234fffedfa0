import { expect, onTestFinished, test } from 'vitest';
import { functionsOfRole } from '../../scripts/infra/functions-of-role.ts';
import { startControl } from '../http/control-process.ts';
import { root } from './landing.ts';

test('what a publish of control waits for is what the host lists, with the identities that Azure has', async () => {
  const guid = '3f0c1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11';
  const control = await startControl({
    FACTORY_IDENTITY: 'entra',
    FACTORY_ENTRA_TENANT: guid,
    FACTORY_AUDIENCE: guid,
  });
  onTestFinished(control.stop);
  const answer = await control.manage('/admin/functions');
  const listed = (await answer.json()) as readonly { readonly name: string }[];
  expect(listed.map(({ name }) => name).sort()).toEqual(await functionsOfRole(root, 'control'));
});
