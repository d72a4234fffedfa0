import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layoutOf } from '../../cli/data/layout.ts';
import { createWorkspace } from '../../shared/sandbox/workspace/workspace.ts';
import { alive, factory, temporary, type Up, up } from '../cli/factory-process.ts';
import { commitFiles } from '../stations/repository.ts';
import { bubblewrap, inside, limits, probed, text } from './sandboxes.ts';

/** What no program of a repository may reach: everything a running plane keeps and says on this machine. */
type Targets = {
  readonly files: readonly string[];
  readonly pids: readonly number[];
  readonly ports: readonly number[];
  /** Names of the settings that the role processes were started with. */
  readonly settings: readonly string[];
};

/** Tells what of the targets is in reach, one line each; ends with 0 when nothing is. Runs inside and, as a control, outside. */
const probe = (targets: Targets): string => `
import { accessSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

const { files, pids, ports, settings } = ${JSON.stringify(targets)};
const reached = [];
const attempt = (what, act) => { try { act(); reached.push(what); } catch {} };
for (const file of files) attempt('file ' + file, () => readFileSync(file));
for (const file of files) attempt('through the root of a process ' + file, () => readFileSync('/proc/1/root' + file));
for (const pid of pids) {
  // A number that is also one of the sandbox's own processes is another process there.
  const own = (() => { try { return readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('--data'); } catch { return false; } })();
  if (own) attempt('environment of process ' + pid, () => readFileSync('/proc/' + pid + '/environ'));
  if (own) attempt('memory of process ' + pid, () => accessSync('/proc/' + pid + '/mem'));
  if (own) attempt('files of process ' + pid, () => readdirSync('/proc/' + pid + '/fd'));
  if (own) attempt('signal to process ' + pid, () => process.kill(pid, 0));
}
for (const name of settings) if (name in process.env) reached.push('setting ' + name);
for (const port of ports)
  for (const host of ['127.0.0.1', '::1', '0.0.0.0'])
    await new Promise((done) => {
      const socket = connect({ host, port });
      socket.setTimeout(2000, () => { socket.destroy(); done(); });
      socket.on('error', done).on('connect', () => { reached.push('port ' + host + ':' + port); socket.destroy(); done(); });
    });
for (const line of reached) console.log(line);
const clean = reached.length === 0;
`;

const data = temporary();
const place = temporary();
let plane: Up;
let targets: Targets;

beforeAll(async () => {
  if (!probed.usable) return;
  plane = await up(data);
  const pids = [plane.pid, ...plane.roles()];
  targets = { files: filesBelow(data), pids, ports: portsOf(pids), settings: settingsOf(pids) };
});
afterAll(async () => {
  if (plane !== undefined && alive(plane.pid)) await plane.end('SIGTERM');
  for (const directory of [data, place]) rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(!probed.usable)('keys, tokens, credentials, processes and ports of a running plane', () => {
  test('are all there, and in reach of whoever is not in a sandbox', () => {
    for (const [directory, name] of [
      ['keys', 'wrapping.json'],
      ['keys', 'evidence.json'],
      ['keys', 'anchor.json'],
      ['keys', 'lease.key'],
      ['identity', 'issuer.json'],
      ['identity', 'effector.json'],
      ['identity', 'approver.json'],
    ] as const)
      expect(targets.files).toContain(join(layoutOf(data).plane, directory, name));
    expect(targets.settings).toContain('FACTORY_CREDENTIAL_FILE');
    expect(targets.ports.length).toBeGreaterThan(2);
    const script = join(place, 'probe.mjs');
    writeFileSync(script, probe(targets));
    const reached = execFileSync(process.execPath, [script], { encoding: 'utf8' });
    for (const kind of ['file', 'environment of', 'memory of', 'files of', 'signal to', 'port'])
      expect(reached).toContain(`\n${kind} `);
  });

  test("are out of reach of a station's sandbox", async () => {
    const workspace = await createWorkspace({
      dataDirectory: layoutOf(data).work('station'),
      job: 'job_canary',
      epoch: 1,
      owner: bubblewrap.fileOwner,
    });
    const script = `${probe(targets)}\nconsole.log(clean ? 'nothing' : 'something');`;
    const result = await inside('exec node --input-type=module -', {
      stdin: new TextEncoder().encode(script),
      mounts: [{ source: workspace.tree, target: '/workspace', mode: 'read-write' }],
      workingDirectory: '/workspace',
      limits,
    });
    await workspace.remove();
    expect(text(result.stderr)).toBe('');
    expect(text(result.stdout)).toBe('nothing\n');
  });

  test("are out of reach of a verifier's checks, of a holdout's program and of the holdout", async () => {
    const repository = join(place, 'canaries.git');
    const commit = await commitFiles(repository, {
      'README.md': 'canaries\n',
      'check.mjs': `${probe(targets)}\nprocess.exitCode = clean ? 0 : 1;\n`,
      // Listens only when it reached nothing: the scenario fails otherwise.
      'program.mjs': `${probe(targets)}\nimport { createServer } from 'node:http';\nif (clean) createServer((_, response) => response.end()).listen(process.env.FACTORY_SOCKET);\n`,
    });
    execFileSync('git', ['--git-dir', repository, 'update-ref', 'refs/heads/main', commit]);
    const declaration = {
      apiVersion: 'factory/v1',
      kind: 'Application',
      name: 'canaries',
      repositories: [{ name: 'canaries', codeHost: 'local', location: repository }],
      checks: [{ name: 'probe', kind: 'unit', command: ['node', 'check.mjs'] }],
      scenarios: [
        {
          name: 'probe',
          start: ['node', 'program.mjs'],
          script: `${probe(targets)}\nprocess.exitCode = clean ? 0 : 1;\n`,
        },
      ],
    };
    const packet = {
      apiVersion: 'factory/v1',
      kind: 'TaskPacket',
      goal: 'The canaries are looked for',
      intent: 'A sandbox has to keep them out of reach',
      source: { kind: 'person' },
      scope: { repository: 'canaries', allowedPaths: ['**'] },
      acceptance: [{ given: 'a plane', when: 'it runs a check', then: 'the check reaches nothing of it' }],
      reproduction: { none: 'There is nothing to reproduce.' },
      validation: { checks: ['probe'] },
      line: {
        name: 'patch',
        patch: '--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-canaries\n+no canaries\n',
      },
    };
    writeFileSync(join(place, 'application.json'), JSON.stringify(declaration));
    writeFileSync(join(place, 'packet.json'), JSON.stringify(packet));
    const ran = await factory([
      ...['--data', data, 'run', join(place, 'packet.json'), '--yes'],
      ...['--repository', repository, '--declaration', join(place, 'application.json')],
    ]);
    expect(ran.out).toContain('PR_READY');
    expect(ran.code).toBe(0);
  });
});

/** Every file the plane keeps, with a size: keys, credentials, databases, sealed artifacts, logs. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0);
}

/** TCP ports that these processes and their children listen on (proc(5), /proc/net/tcp: state 0A). */
function portsOf(pids: readonly number[]): number[] {
  const sockets = new Set(pids.flatMap((pid) => [pid, ...childrenOf(pid)]).flatMap(socketsOf));
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && sockets.has(`socket:[${fields[9]}]`))
      .map((fields) => Number.parseInt(fields[1]!.split(':')[1]!, 16)),
  );
}

function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((child) => child !== '')
    .map(Number);
}

function settingsOf(pids: readonly number[]): string[] {
  const names = pids.flatMap((pid) =>
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0]!),
  );
  return [...new Set(names)].filter((name) => name.startsWith('FACTORY_') && name !== 'FACTORY_SOCKET');
}
