import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './fixture.ts';

async function writeUntil(file: string, stop: (lines: number) => boolean, environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'writer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    if (stop(text.split('\n').length)) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return text.split('\n').filter((line) => line.length === 29);
}

const stored = (file: string) => {
  const database = new DatabaseSync(file);
  const ids = database
    .prepare('select id from sessions')
    .all()
    .map((row) => String(row['id']));
  const check = database.prepare('pragma integrity_check').get();
  database.close();
  return { ids: new Set(ids), check };
};

test('what was acknowledged before a kill is there after it', async () => {
  const file = path.join(temporaryDirectory(), 'factory.db');
  const acknowledged: string[] = [];
  for (const count of [50, 300, 120]) acknowledged.push(...(await writeUntil(file, (lines) => lines > count)));
  const { ids, check } = stored(file);
  expect(acknowledged.length).toBeGreaterThanOrEqual(470);
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  expect(check).toEqual({ integrity_check: 'ok' });
});

test.each([
  ['store.commit.before', 0],
  ['store.commit.after', 8],
] as const)('a death at %s leaves the group whole or absent', async (point, present) => {
  const directory = temporaryDirectory();
  const file = path.join(directory, 'factory.db');
  const log = path.join(directory, 'deaths');
  const acknowledged = await writeUntil(file, () => false, { FACTORY_CRASH_AT: point, FACTORY_CRASH_LOG: log });
  expect(readFileSync(log, 'utf8')).toContain(point);
  expect(acknowledged).toEqual([]);
  expect(stored(file).ids.size).toBe(present);
});
