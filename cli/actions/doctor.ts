import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { bubblewrapDriver } from '../../shared/sandbox/bubblewrap/bubblewrap.ts';
import { findControlGroup } from '../../shared/sandbox/control-group/find.ts';
import { openPlaneApi } from '../api/plane-api.ts';
import { readResource } from '../api/read.ts';
import { restoreStatus } from '../api/restore.ts';
import { existingDataDirectory } from '../data/data-directory.ts';
import { type Layout, layoutOf } from '../data/layout.ts';
import { messageOf } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { plainText, print, printJson, styled } from '../output/terminal.ts';
import { freePort } from '../supervision/ports.ts';
import type { Running } from '../supervision/running-file.ts';
import { supervisorOf } from '../supervision/supervisor-lock.ts';
import { lookThroughDatabases } from './databases.ts';

type Finding = { readonly what: string; readonly state: 'good' | 'warning' | 'bad'; readonly says: string };

const DEFAULT_PORT = 7071;

const LOW_DISK_BYTES = 1024 * 1024 * 1024;

/** The plane writes its heartbeat every second; this much behind it is stopped, or the clock jumped. */
const HEARTBEAT_MS = 15_000;

const QUEUE_AGE_MS = 60_000;

const planeStatus = z.object({
  heartbeatAt: z.string(),
  outbox: z.array(z.object({ state: z.string(), rows: z.number(), oldestMs: z.number() })),
  pools: z.array(z.object({ pool: z.string(), leased: z.number(), oldestQueuedMs: z.number().nullable() })),
});

async function machine(): Promise<Finding[]> {
  const major = Number(process.versions.node.split('.')[0]);
  return [
    finding(
      'node',
      major >= 24 ? 'good' : 'bad',
      `${process.version}${major >= 24 ? '' : ': run "npm ci", which installs the one that is needed'}`,
    ),
    gitFinding(),
    await sandboxFinding(),
    limitsFinding(),
  ];
}

function gitFinding(): Finding {
  try {
    return finding('git', 'good', execFileSync('git', ['--version'], { encoding: 'utf8' }).trim());
  } catch {
    return finding('git', 'bad', 'git does not run. Install it: apt-get install git');
  }
}

async function sandboxFinding(): Promise<Finding> {
  const probed = await bubblewrapDriver().probe();
  if (probed.usable)
    return finding('sandbox', 'good', `bubblewrap ${probed.identity.versions['bubblewrap'] ?? ''}, isolated`);
  return finding(
    'sandbox',
    'warning',
    `${probed.reason}. Without it only applications that allow it run, with "factory up --sandbox process"`,
  );
}

/** Of a process started as this one is; a plane that runs as a service may have more. */
function limitsFinding(): Finding {
  const group = findControlGroup();
  return finding(
    'limits',
    'good',
    group.usable
      ? `cgroup: the kernel bounds memory and processes of each sandbox as a whole, below ${group.directory}`
      : `rlimit: bounded process by process, and memory looked at many times a second. No control group: ${group.reason}`,
  );
}

async function planeOf(data: string): Promise<Finding[]> {
  const layout = layoutOf(data);
  if (!existsSync(layout.marker))
    return [
      finding('data', 'warning', `${layout.root} is no data directory yet: "factory up" makes it`),
      await portFinding(),
    ];
  const findings: Finding[] = [];
  try {
    existingDataDirectory(data);
    const { bavail, bsize } = statfsSync(layout.root);
    const free = bavail * bsize;
    findings.push(
      finding(
        'data',
        free < LOW_DISK_BYTES ? 'warning' : 'good',
        `${layout.root}, ${Math.round(free / LOW_DISK_BYTES)} GiB free`,
      ),
    );
  } catch (error) {
    return [finding('data', 'bad', messageOf(error))];
  }
  const running = supervisorOf(layout);
  findings.push(databasesFinding(layout, running !== undefined));
  if (running === undefined)
    return [
      ...findings,
      finding('processes', 'warning', 'none runs: start them with "factory up"'),
      await portFinding(),
    ];
  const missing = running.processes.filter(({ pid }) => pid === null).map(({ name }) => name);
  const restarts = running.processes.reduce((total, each) => total + each.restarts, 0);
  findings.push(
    missing.length > 0
      ? finding('processes', 'bad', `${missing.join(', ')} ended and waits to be started again; see ${layout.logs}`)
      : finding(
          'processes',
          restarts > 0 ? 'warning' : 'good',
          `${running.processes.length} run, ${restarts} restarts`,
        ),
  );
  return [...findings, ...(await answering(data, running))];
}

function databasesFinding(layout: Layout, running: boolean): Finding {
  const looked = lookThroughDatabases(layout, running);
  const [damaged] = looked.filter(({ fault }) => fault !== undefined);
  if (damaged !== undefined)
    return finding('databases', 'bad', `${damaged.file} is damaged: ${damaged.fault}. What to do: ${damaged.wayOut}`);
  const rest = running ? '; the ones of broker and hosts are in use, and looked through at their start' : '';
  return finding('databases', 'good', `${looked.length} looked through, every page and index${rest}`);
}

async function portFinding(): Promise<Finding> {
  return await freePort(DEFAULT_PORT).then(
    () => finding('port', 'good', `${DEFAULT_PORT} is free`),
    (error: unknown) => finding('port', 'warning', messageOf(error)),
  );
}

async function answering(data: string, running: Running): Promise<Finding[]> {
  try {
    const ready = await fetch(`${running.controlUrl}/api/v1/ready`, { signal: AbortSignal.timeout(10_000) });
    const parts = await ready.text();
    const operator = await openPlaneApi({ data, as: 'operator' });
    const status = await readResource(operator, planeStatus, '/status');
    const { sound } = await readResource(operator, restoreStatus, '/restore');
    const dead = status.outbox.find(({ state }) => state === 'dead')?.rows ?? 0;
    const pending = status.outbox.filter(({ state }) => state !== 'dead').reduce((total, { rows }) => total + rows, 0);
    const late = status.pools.filter(({ oldestQueuedMs }) => (oldestQueuedMs ?? 0) > QUEUE_AGE_MS);
    const beat = Date.now() - Date.parse(status.heartbeatAt);
    return [
      finding(
        'plane',
        ready.ok ? 'good' : 'bad',
        `${running.controlUrl} ${ready.ok ? 'is ready' : `is not ready: ${parts.slice(0, 200)}`}`,
      ),
      finding(
        'audit',
        sound ? 'good' : 'bad',
        sound
          ? 'the database has everything that the anchors sealed'
          : 'the database is behind its anchors, and the plane takes no commands: see "factory restore status"',
      ),
      finding(
        'outbox',
        dead > 0 ? 'bad' : 'good',
        `${pending} pending, ${dead} given up${dead > 0 ? ': see control.log for why, then "factory reconcile"' : ''}`,
      ),
      finding(
        'queues',
        late.length > 0 ? 'warning' : 'good',
        late.length > 0
          ? `jobs wait for over a minute in ${late.map(({ pool }) => pool).join(', ')}: does a worker of that pool run?`
          : `${status.pools.reduce((total, { leased }) => total + leased, 0)} jobs are being worked on, none waits long`,
      ),
      finding(
        'clock',
        Math.abs(beat) > HEARTBEAT_MS ? 'bad' : 'good',
        `the plane's last heartbeat was ${Math.round(beat / 1000)} s ago${beat < -HEARTBEAT_MS ? ': this clock was set back' : ''}`,
      ),
    ];
  } catch (error) {
    return [finding('plane', 'bad', messageOf(error))];
  }
}

const finding = (what: string, state: Finding['state'], says: string): Finding => ({ what, state, says });

/** Prints what was found; the exit code is 1 when something is bad. */
export async function doctor(command: Command): Promise<void> {
  const { data, json } = globalOptions(command);
  const findings = [...(await machine()), ...(await planeOf(data))];
  if (findings.some((finding) => finding.state === 'bad')) process.exitCode = 1;
  if (json) return printJson(findings);
  for (const { what, state, says } of findings) {
    const mark =
      state === 'good'
        ? styled('green', 'good   ')
        : state === 'warning'
          ? styled('yellow', 'warning')
          : styled('red', 'bad    ');
    print(`${mark}  ${what.padEnd(12)} ${plainText(says)}`);
  }
}
