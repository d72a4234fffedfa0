import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { captureTree } from '../../shared/sandbox/git/tree-capture.ts';
import { listTree } from '../../shared/sandbox/git/tree-list.ts';
import { materialiseTree } from '../../shared/sandbox/git/tree-materialise.ts';
import { measureWorkspace } from '../../shared/sandbox/workspace/measure.ts';
import { sweepWorkspaces } from '../../shared/sandbox/workspace/sweep.ts';
import { createWorkspace } from '../../shared/sandbox/workspace/workspace.ts';
import { codeOf, publishedRepository, scratch, writeFiles } from './repositories.ts';
import { bubblewrap, inside, probed, text } from './sandboxes.ts';

const owner = bubblewrap.fileOwner;

test('a workspace is private to its job and epoch, and goes whole', async () => {
  const dataDirectory = scratch();
  const workspace = await createWorkspace({ dataDirectory, job: 'job_01', epoch: 3, owner });
  expect(lstatSync(workspace.directory).mode & 0o777).toBe(0o700);
  for (const directory of [workspace.tree, workspace.repositories, workspace.packages, workspace.exchange])
    expect(lstatSync(directory).isDirectory()).toBe(true);
  expect(await codeOf(createWorkspace({ dataDirectory, job: 'job_01', epoch: 3, owner }))).toBe('WORKSPACE-EXISTS');
  const next = await createWorkspace({ dataDirectory, job: 'job_01', epoch: 4, owner });
  expect(readdirSync(join(dataDirectory, 'workspaces')).sort()).toEqual(['job_01.3', 'job_01.4']);
  for (const job of ['../evil', 'a/b', '', '.', 'x'.repeat(200)])
    expect(await codeOf(createWorkspace({ dataDirectory, job, epoch: 1, owner }))).toBe('WORKSPACE-NAME-REFUSED');

  const outside = join(scratch(), 'kept');
  writeFileSync(outside, 'kept');
  symlinkSync(outside, join(workspace.tree, 'link'));
  mkdirSync(join(workspace.tree, 'closed/inner'), { recursive: true });
  writeFileSync(join(workspace.tree, 'closed/inner/file'), 'x');
  chmodSync(join(workspace.tree, 'closed/inner'), 0o000);
  // Deeper than a path may be long (PATH_MAX is 4096 bytes).
  const descend =
    'const fs = require("node:fs"); for (let level = 0; level < 40; level++) { fs.mkdirSync("d".repeat(200)); process.chdir("d".repeat(200)); }';
  const deep = spawnSync(process.execPath, ['-e', descend], { cwd: workspace.tree });
  expect(deep.status).toBe(0);
  await workspace.remove();
  await workspace.remove();
  expect(existsSync(workspace.directory)).toBe(false);
  expect(readFileSync(outside, 'utf8')).toBe('kept');
  expect(existsSync(next.directory)).toBe(true);
});

test('a sweep removes what a killed worker left, and nothing of a living one', async () => {
  const dataDirectory = scratch();
  const mine = await createWorkspace({ dataDirectory, job: 'job_mine', epoch: 1, owner });
  const program = `
    import { createWorkspace } from ${JSON.stringify(new URL('../../shared/sandbox/workspace/workspace.ts', import.meta.url).href)};
    await createWorkspace({ dataDirectory: ${JSON.stringify(dataDirectory)}, job: 'job_killed', epoch: 1, owner: null });
    console.log('made');
    setInterval(() => {}, 1000);`;
  const worker = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void worker.kill('SIGKILL'));
  await once(worker.stdout, 'data');
  expect(await sweepWorkspaces(dataDirectory)).toEqual([]);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  mkdirSync(join(dataDirectory, 'workspaces/.job_draft.1.999999999'));
  writeFiles(join(dataDirectory, 'workspaces/job_torn.1'), { owner: '' });
  expect([...(await sweepWorkspaces(dataDirectory))].sort()).toEqual([
    '.job_draft.1.999999999',
    'job_killed.1',
    'job_torn.1',
  ]);
  expect(readdirSync(join(dataDirectory, 'workspaces'))).toEqual(['job_mine.1']);
  expect(await sweepWorkspaces(join(dataDirectory, 'absent'))).toEqual([]);
  await mine.remove();
});

test('its size is what it takes on disk', async () => {
  const directory = scratch();
  writeFiles(directory, { 'a/b': Buffer.alloc(100_000, 1), c: 'x' });
  writeFileSync(join(directory, 'sparse'), '');
  truncateSync(join(directory, 'sparse'), 2 ** 30);
  const { bytes, entries } = await measureWorkspace(directory, { bytes: 200_000, entries: 4 });
  expect(entries).toBe(4);
  expect(bytes).toBeGreaterThanOrEqual(100_000);
  expect(bytes).toBeLessThan(200_000);
  expect(await codeOf(measureWorkspace(directory, { bytes: 50_000, entries: 10 }))).toBe('WORKSPACE-TOO-LARGE');
  expect(await codeOf(measureWorkspace(directory, { bytes: 500_000, entries: 3 }))).toBe('WORKSPACE-TOO-LARGE');
});

test.skipIf(!probed.usable)(
  'from a source to the tested bytes: written out, changed in a sandbox, read back',
  async () => {
    const { repository, tree: baseTree } = await publishedRepository({
      'package.json': '{"name":"x","scripts":{"test":"node --test"}}',
      'add.js': 'exports.add = (a, b) => a - b;\n',
      'add.test.js':
        'const { test } = require("node:test"); test("adds", () => require("node:assert").equal(require("./add.js").add(2, 2), 4));\n',
      '.gitignore': 'coverage/\n',
    });
    const workspace = await createWorkspace({ dataDirectory: scratch(), job: 'job_02', epoch: 1, owner });
    onTestFinished(() => workspace.remove());
    await materialiseTree({ repository, tree: baseTree, directory: workspace.tree, owner });
    const mounts = [{ source: workspace.tree, target: '/workspace', mode: 'read-write' as const }];
    const test = () => inside('node --test', { mounts, workingDirectory: '/workspace' });
    expect((await test()).exitCode).toBe(1);
    const station = await inside(
      'sed -i "s/a - b/a + b/" add.js && mkdir coverage && echo x > coverage/out && chmod 000 coverage',
      { mounts, workingDirectory: '/workspace' },
    );
    expect(text(station.stderr)).toBe('');
    expect((await test()).exitCode).toBe(0);
    const captured = await captureTree({ directory: workspace.tree, repository, baseTree });
    expect((await listTree({ repository, tree: captured.tree })).map(({ path }) => path)).toEqual([
      '.gitignore',
      'add.js',
      'add.test.js',
      'package.json',
    ]);
    expect(captured.tree).not.toBe(baseTree);
  },
);
