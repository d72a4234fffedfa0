import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alive, factory, temporary, type Up, until, up } from './factory-process.ts';

const data = temporary();
let plane: Up;

beforeAll(async () => {
  plane = await up(data);
});
afterAll(async () => {
  if (alive(plane.pid)) await plane.end('SIGTERM');
});

test('every role is a process of its own, and status shows them', async () => {
  expect(new Set(plane.roles()).size).toBe(5);
  const status = await factory(['--data', data, '--json', 'status']);
  expect(JSON.parse(status.out)).toMatchObject({ ready: true, pid: plane.pid });
});

test('a second supervisor is refused, with what to do', async () => {
  const { code, err } = await factory(['--data', data, 'up', '--port', '0']);
  expect(code).toBe(1);
  expect(err).toContain('runs already');
});

test('reset is refused while it runs', async () => {
  expect((await factory(['--data', data, 'reset', '--yes'])).err).toContain('factory down');
});

test('a taken port is told by its number', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { code, err } = await factory(['--data', temporary(), 'up', '--port', String(port)]);
  server.close();
  expect(code).toBe(1);
  expect(err).toContain(`Port ${port}`);
});

test('a killed process is started again, and the plane answers', async () => {
  const control = plane.running().processes.find(({ name }) => name === 'control')!;
  process.kill(control.pid!, 'SIGKILL');
  await until(
    () => (plane.running().processes.find(({ name }) => name === 'control')?.restarts ?? 0) > control.restarts,
    'control is started again',
  );
  // Called while it starts: the command waits for it.
  expect((await factory(['--data', data, 'applications'])).code).toBe(0);
});

test('SIGKILL of the supervisor leaves no process behind, and the next start works on the same data', async () => {
  const roles = plane.roles();
  await plane.end('SIGKILL');
  await until(() => !roles.some(alive), 'every role has ended');
  expect((await factory(['--data', data, 'status'])).code).toBe(1);
  plane = await up(data);
  expect((await factory(['--data', data, 'applications'])).code).toBe(0);
});

test('down ends everything', async () => {
  const pids = [plane.pid, ...plane.roles()];
  expect((await factory(['--data', data, 'down'])).code).toBe(0);
  await until(() => !pids.some(alive), 'every process has ended');
});
