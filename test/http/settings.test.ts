import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CONTROL_SETTINGS, readControlSettings } from '../../shared/config/control.ts';

const sample = (JSON.parse(readFileSync('local.settings.sample.json', 'utf8')) as { Values: Record<string, string> })
  .Values;

test('the sample names every setting of control, and is one control can start with', () => {
  const named = Object.keys(sample).filter((name) => !['FUNCTIONS_WORKER_RUNTIME', 'FACTORY_ROLE'].includes(name));
  expect(named.sort()).toEqual([...CONTROL_SETTINGS].sort());
  expect(readControlSettings(sample)).toMatchObject({
    identity: { kind: 'local', audience: 'agent-factory' },
    leaseMs: 30_000,
  });
});

test('all that is missing or wrong is told at once, and no value is repeated', () => {
  const secret = 'a-secret-by-mistake';
  let message = '';
  try {
    readControlSettings({ FACTORY_SERVICE_BUS: secret, FACTORY_IDENTITY: 'entra', FACTORY_LEASE_SECONDS: '0' });
  } catch (error) {
    message = String(error);
  }
  for (const name of [
    'FACTORY_DATA',
    'FACTORY_SERVICE_BUS',
    'FACTORY_LEASE_SECONDS',
    'FACTORY_ENTRA_TENANT',
    'FACTORY_AUDIENCE',
  ])
    expect(message).toContain(`${name}: `);
  expect(message).not.toContain(secret);
});
