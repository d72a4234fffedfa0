import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../docs/documents.ts';
import { scriptedAz } from './scripted-az.ts';

const directory = path.join(root, 'infra', 'scripts');
const scripts = readdirSync(directory).filter((name) => name.endsWith('.sh'));
const commands = scripts.filter((name) => name !== 'environment.sh');

const CHECKER = 'shellcheck';
const checked = spawnSync(CHECKER, ['--version']).error === undefined;
test('shellcheck finds nothing', ({ skip }) => {
  if (!checked)
    skip('shellcheck is not on PATH (Debian: apt-get install shellcheck): the scripts were parsed, not checked');
  const { stdout, status } = spawnSync(CHECKER, ['-x', '-P', 'SCRIPTDIR', ...scripts], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

test.each(scripts)('%s parses', (script) => {
  expect(spawnSync('bash', ['-n', path.join(directory, script)], { encoding: 'utf8' }).stderr).toBe('');
});

test.each(commands)('%s says what it is for and how it is called, and asks az nothing for that', (script) => {
  const az = scriptedAz();
  for (const args of [['--help'], ['dev', '--help'], ['-h']]) {
    const { status, stdout } = az.run(script, args);
    expect(status).toBe(0);
    expect(stdout).toContain(`scripts/${script} ENV`);
    expect(stdout).not.toContain('TAKES');
  }
  expect(az.calls()).toEqual([]);
});

test.each(commands)('%s refuses wrong use with exit code 2, and says what is wrong', (script) => {
  const az = scriptedAz();
  for (const [args, said] of [
    [[], 'which environment?'],
    [['moon'], 'main.moon.bicepparam'],
    [['../dev'], 'no name of an environment'],
    [['dev', 'prod'], 'one environment'],
    [['dev', '--force'], 'no option --force'],
  ] as const) {
    const { status, stderr } = az.run(script, args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(said)]);
  }
  expect(az.calls()).toEqual([]);
});

test.each([
  ['whatif.sh', '--plan'],
  ['compile.sh', '--to'],
  ['deploy.sh', '--digest'],
  ['publish.sh', '--package'],
])('%s refuses %s without its value', (script, option) => {
  const { status, stderr } = scriptedAz().run(script, ['dev', option]);
  expect([status, stderr]).toEqual([2, expect.stringContaining(`${option} needs a value`)]);
});

test('every missing tool is named, before anything is asked', () => {
  const az = scriptedAz();
  // A machine with a shell and its own tools, and nothing else.
  const bare = path.join(az.directory, 'bare');
  mkdirSync(bare);
  for (const tool of ['bash', 'basename', 'dirname', 'sed', 'cat'])
    symlinkSync(spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim(), path.join(bare, tool));
  const { status, stderr } = az.run('smoke.sh', ['dev'], { environment: { PATH: bare } });
  expect([status, stderr]).toEqual([1, 'smoke.sh: not on PATH: az curl\n']);
});

test('who is not signed in is told so', () => {
  const az = scriptedAz();
  az.answers([['az account show*', { fails: 1 }]]);
  for (const script of ['preflight.sh', 'whatif.sh', 'teardown.sh']) {
    const { status, stderr } = az.run(script, ['dev']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('az login')]);
    expect(az.calls()).toHaveLength(1);
  }
});
