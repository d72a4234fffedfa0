import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { factory, temporary } from './factory-process.ts';

test('help names the exit codes of each terminal state', async () => {
  const { code, out } = await factory(['--help']);
  expect(code).toBe(0);
  for (const state of ['PR_READY', 'NO_OP', 'ESCALATE', 'RETRYABLE_FAILURE', 'CANCELLED', 'REJECTED'])
    expect(out).toContain(state);
});

test('says which version it is, the one of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await factory(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('wrong use ends with 2, and nothing on standard output', async () => {
  expect(await factory(['no-such-command'])).toMatchObject({ code: 2, out: '' });
  for (const args of [
    ['packet', 'new'],
    ['watch', 'req_x', '--until', 'tomorrow'],
    ['watch', 'req_x', '--limit', 'soon'],
    ['run', 'packet.yaml', '--repository', '.', '--limit', '-1'],
  ])
    expect(await factory(args), args.join(' ')).toMatchObject({ code: 2, out: '' });
});

test('a reader that has seen enough is no fault', async () => {
  const child = spawn(process.execPath, ['cli/main.ts', 'line', 'show', 'patch'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, err }).toEqual({ code: 141, err: '' });
});

test('a packet template is written once and never over another file', async () => {
  const file = path.join(temporary(), 'packet.yaml');
  expect((await factory(['packet', 'new', '--line', 'patch', '--out', file])).code).toBe(0);
  writeFileSync(file, 'mine');
  const again = await factory(['packet', 'new', '--line', 'patch', '--out', file]);
  expect(again).toMatchObject({ code: 1 });
  expect(again.err).toContain('is there already');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

test('the default definitions are good, and a damaged copy is not, by file and place', async () => {
  expect((await factory(['line', 'check'])).code).toBe(0);
  const copy = temporary();
  cpSync('definitions', copy, { recursive: true });
  writeFileSync(path.join(copy, 'policies/requests.cedar'), 'permit (principal, action, resource) when { nonsense };');
  const { code, out } = await factory(['policy', 'check', '--definitions', copy]);
  expect(code).toBe(1);
  expect(out).toContain('policies/requests.cedar');
  rmSync(copy, { recursive: true });
});

test('a policy question is answered with the rules that decided', async () => {
  const file = path.join(temporary(), 'question.json');
  const ask = async (roles: readonly string[]) => {
    writeFileSync(
      file,
      JSON.stringify({
        principal: { kind: 'User', id: 'a', tenant: 't', roles },
        action: 'registerApplication',
        resource: { id: 't', tenant: 't' },
      }),
    );
    return await factory(['--json', 'policy', 'explain', file]);
  };
  const operator = await ask(['operator']);
  expect(operator.code).toBe(0);
  expect(JSON.parse(operator.out)).toMatchObject({ allow: true, determining: ['operators-plan-and-apply'] });
  expect((await ask(['requester'])).code).toBe(1);
});

test('both dialects of the store are exported', async () => {
  const directory = temporary();
  expect((await factory(['store', 'export', '--dialect', 'azure-sql', '--out', directory])).code).toBe(0);
  expect(readFileSync(path.join(directory, 'schema.sql'), 'utf8')).toMatch(/create table \S*requests/i);
  expect((await factory(['store', 'export', '--dialect', 'other', '--out', directory])).code).toBe(2);
});

test('what is no evidence does not verify', async () => {
  const file = path.join(temporary(), 'bundle.json');
  writeFileSync(file, '{}');
  expect(await factory(['verify', file])).toMatchObject({ code: 1 });
  // A trust file that is none is told like any other wrong file, and so is an anchor directory that is not there.
  const keyless = await factory(['verify', file, '--keys', 'README.md']);
  expect(keyless).toMatchObject({ code: 1 });
  expect(keyless.err).toContain('is no trust file');
});

test('a data directory of something else and one of a newer program are refused in words', async () => {
  const foreign = temporary();
  writeFileSync(path.join(foreign, 'thesis.txt'), 'do not touch');
  const refused = await factory(['--data', foreign, 'up', '--port', '0']);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err).toContain('no data directory of the factory');
  const newer = temporary();
  writeFileSync(path.join(newer, 'factory.json'), '{"format":"agent-factory-data","version":99}');
  expect((await factory(['--data', newer, 'up', '--port', '0'])).err).toContain('newer program');
  expect((await factory(['--data', newer, 'reset', '--yes'])).code).toBe(1);
});

test('without a plane a command says how to start one', async () => {
  const { code, err } = await factory(['--data', path.join(temporary(), 'none'), 'requests']);
  expect(code).toBe(1);
  expect(err).toContain('factory up');
});

test('a path that is none is told in words, whatever the command', async () => {
  const directory = temporary();
  for (const [args, says] of [
    [['verify', path.join(directory, 'none.json')], 'none.json is not there'],
    [['audit', 'verify', directory], 'is a directory; give the path of a file'],
    [['packet', 'new', '--line', 'patch', '--out', path.join(directory, 'none', 'p.yaml')], 'is not there'],
    [['policy', 'explain', path.join(directory, 'none.json')], 'none.json is not there'],
    [['--data', '/proc/none', 'up', '--port', '0'], '/proc/none is not there'],
  ] as const) {
    const { code, out, err } = await factory(args);
    expect({ code, out }, args.join(' ')).toEqual({ code: 1, out: '' });
    expect(err).toContain(says);
    expect(err).not.toMatch(/ENOENT|EISDIR|\n\s+at /);
  }
});

test('of a file that is no bundle nothing else is said', async () => {
  const file = path.join(temporary(), 'other.json');
  writeFileSync(file, '{"format":"something"}');
  const { code, out } = await factory(['verify', file]);
  expect(code).toBe(1);
  expect(out).toContain('not a factory-bundle/v1 bundle');
  expect(out).not.toMatch(/keys inside|artifacts have/);
});
