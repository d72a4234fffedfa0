import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readWorkerSettings } from '../../shared/config/worker.ts';

const good = {
  FACTORY_CONTROL_URL: 'http://127.0.0.1:7071',
  FACTORY_CREDENTIAL_FILE: '/data/station.json',
  FACTORY_DATA: '/data',
};

describe('the settings of a worker', () => {
  test('have defaults that are safe', () => {
    expect(readWorkerSettings(good)).toEqual({
      controlUrl: 'http://127.0.0.1:7071',
      credential: { kind: 'file', file: '/data/station.json' },
      dataDirectory: '/data',
      sandbox: 'bubblewrap',
      concurrency: 4,
      npmRegistry: undefined,
      pythonIndex: undefined,
      resourceManager: 'https://management.azure.com',
    });
  });

  test('that are missing or wrong are named all at once, without their values', () => {
    const wrong = {
      FACTORY_CONTROL_URL: 'http://plane.example.com',
      FACTORY_DATA: '',
      FACTORY_SANDBOX: 'hope',
      FACTORY_CONCURRENCY: '0',
    };
    const read = () => readWorkerSettings(wrong);
    for (const name of [...Object.keys(wrong), 'FACTORY_CREDENTIAL_FILE']) expect(read).toThrow(name);
    expect(read).not.toThrow(/hope|example\.com/);
  });

  test('take plain http for this machine alone', () => {
    for (const url of ['https://plane.example.com', 'http://localhost:1', 'http://127.0.0.1', 'http://[::1]:80'])
      expect(readWorkerSettings({ ...good, FACTORY_CONTROL_URL: url }).controlUrl).toBe(url);
    for (const url of ['http://127.0.0.1.example.com', 'http://10.0.0.1', 'ftp://localhost', 'localhost'])
      expect(() => readWorkerSettings({ ...good, FACTORY_CONTROL_URL: url })).toThrow('FACTORY_CONTROL_URL');
  });
});

describe('the entry point of a role', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'factory-role-'));
    await writeFile(
      join(directory, 'effector.json'),
      JSON.stringify({ tokenEndpoint: 'http://127.0.0.1:1/token', clientId: 'c', clientSecret: 's' }),
      { mode: 0o600 },
    );
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const load = (role: string, settings: Record<string, string>) =>
    new Promise<{ code: number | null; text: string }>((resolve) => {
      const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
      const main = fileURLToPath(new URL('../../functions/main.ts', import.meta.url));
      const child = spawn(node, [main], {
        env: { PATH: process.env['PATH'] ?? '', FACTORY_ROLE: role, ...settings },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          text += chunk;
        });
      child.once('close', (code) => resolve({ code, text }));
    });

  test('loads with its settings, and refuses to without', async () => {
    const settings = {
      FACTORY_CONTROL_URL: 'http://127.0.0.1:1',
      FACTORY_CREDENTIAL_FILE: join(directory, '{role}.json'),
      FACTORY_DATA: directory,
      FACTORY_NPM_REGISTRY: 'https://registry.example.com/',
    };
    expect(await load('effector', settings)).toMatchObject({ code: 0 });
    const without = await load('verifier', {});
    expect(without.code).not.toBe(0);
    expect(without.text).toContain('FACTORY_CONTROL_URL: is not set');
    const noCredential = await load('station', settings);
    expect(noCredential.code).not.toBe(0);
    expect(noCredential.text).toContain('station.json');
  });
});
