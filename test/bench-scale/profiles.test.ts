import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LIMITS_OF_SERVICES } from '../../bench/scale/limits/services.ts';
import type { FunctionScale } from '../../bench/scale/profiles/profile.ts';
import { DEV, PROD } from '../../bench/scale/profiles/profiles.ts';
import { readFiles, readLanding } from '../../scripts/infra/landing.ts';

const text = (name: string): string => readFileSync(path.resolve(import.meta.dirname, `../../infra/${name}`), 'utf8');

/** What a parameter file says of a parameter; undefined when it leaves the default. */
const given = (file: string, parameter: string): string | undefined =>
  new RegExp(`^param ${parameter} = (\\{[^]*?^\\}|.*)$`, 'm').exec(file)?.[1];

const scalar = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));

const alwaysReady = (scale: string): Record<string, number> =>
  Object.fromEntries(
    [...scale.matchAll(/name: '([^']+)', instanceCount: (\d+)/g)].map(([, name = '', count]) => [name, Number(count)]),
  );

it.each([DEV, PROD])('the profile $name is its parameter file', (profile) => {
  const file = text(`main.${profile.name}.bicepparam`);
  const main = text('main.bicep');
  const parameters = [
    'workerConcurrency',
    'maximumSessions',
    'readySessions',
    'durableBackend',
    'dtsSku',
    'dtsCapacity',
    'busSku',
    'busCapacity',
    'sqlSku',
    'sqlVCores',
    'leaseSeconds',
    'hintSeconds',
    'zoneRedundant',
  ] as const;
  for (const parameter of parameters) {
    const fallback = new RegExp(`^param ${parameter} .*? = (.*)$`, 'm').exec(main)?.[1];
    expect(given(file, parameter) ?? fallback, parameter).toBe(scalar(profile[parameter]));
  }
  const functions = (name: 'controlScale' | 'effectorScale', scale: FunctionScale): void => {
    const value = given(file, name) ?? '';
    expect(value, name).toContain(`instanceMemoryMB: ${scale.instanceMemoryMB}\n`);
    expect(value, name).toContain(`maximumInstanceCount: ${scale.maximumInstanceCount}\n`);
    expect(alwaysReady(value), name).toEqual(scale.alwaysReady);
  };
  functions('controlScale', profile.controlScale);
  functions('effectorScale', profile.effectorScale);
  const job = given(file, 'jobScale') ?? '';
  expect(Number(/cpu: '([\d.]+)'/.exec(job)?.[1])).toBe(profile.jobScale.cpu);
  expect(Number(/memory: '(\d+)Gi'/.exec(job)?.[1])).toBe(profile.jobScale.memoryGiB);
  expect(Number(/maximumExecutions: (\d+)/.exec(job)?.[1])).toBe(profile.jobScale.maximumExecutions);
  expect(given(file, 'ingress')).toBe(profile.frontDoor ? "'frontDoor'" : "'none'");
});

it('what templates and host.json fix is what the model takes', () => {
  expect(text('modules/worker-job.bicep')).toContain('pollingInterval: 15\n');
  expect(text('modules/worker-job.bicep')).toContain('messageCount: string(concurrency)');
  expect(text('modules/worker-job.bicep')).toContain('FACTORY_CONCURRENCY: string(concurrency)');
  expect(text('modules/session-pool.bicep')).toContain(`cooldownPeriodInSeconds: ${PROD.sessionCooldownSeconds} `);
  expect(text('modules/keyvault.bicep')).toContain(`keySize: ${PROD.wrappingKeyBits}\n`);
  expect(text('shared/types.bicep')).toContain('@maxValue(300)\n  maximumExecutions: int');
  expect(text('workload.bicep').match(/concurrency: workerConcurrency$/gm)).toHaveLength(2);
  expect(text('workload.bicep')).toContain(`var effectorConcurrency = ${PROD.effectorConcurrency}\n`);
  const host = JSON.parse(text('../host.json')) as { extensions: { serviceBus: { maxConcurrentCalls: number } } };
  expect(host.extensions.serviceBus.maxConcurrentCalls).toBe(PROD.effectorConcurrency);
  expect(LIMITS_OF_SERVICES.messagesAnInstance.value).toBe(PROD.effectorConcurrency);
});

it('private endpoints are as many as the templates make', async () => {
  const { templates } = await readLanding(await readFiles(path.resolve(import.meta.dirname, '../../infra')));
  const workload = templates.find(({ file }) => file === 'workload.bicep')!;
  const made = (file: string): number => workload.modules.filter((module) => module.path === file).length;
  const endpoints = templates.flatMap(({ file, modules }) =>
    modules
      .filter((module) => module.path.endsWith('private-endpoint.bicep'))
      .map(({ condition, loop }) => ({
        condition: condition ?? '',
        count: ((loop?.match(/'/g)?.length ?? 2) / 2) * (file === 'workload.bicep' ? 1 : made(file)),
      })),
  );
  const counted = (without: readonly string[]): number =>
    endpoints.filter(({ condition }) => !without.includes(condition)).reduce((sum, { count }) => sum + count, 0);
  expect(PROD.privateEndpoints).toBe(counted([]));
  expect(DEV.privateEndpoints).toBe(counted(['premium', 'private']));
});

it('a container holds its hint while it works, as the model reckons', () => {
  expect(PROD.hintsHeld).toBe(
    readFileSync(path.resolve(import.meta.dirname, '../../container/hold-hint.ts'), 'utf8').includes("'peekLock'"),
  );
});
