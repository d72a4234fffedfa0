import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, runHost, startHost, temporaryDirectory } from './host-process.ts';

interface Runs {
  readonly runs: { readonly schedule: { readonly next: string }; readonly past: boolean }[];
  readonly mostOverlapping: number;
  readonly attempts: number[];
}

describe('timer functions', () => {
  it('run at their start when asked, at their times, never over themselves, and again by their retry policy', async () => {
    const directory = temporaryDirectory();
    const host = await startHost({
      app: 'timers',
      data: directory.path,
      args: ['--in-process'],
      env: { TICK: '*/1 * * * * *' },
    });
    let last: Runs | undefined;
    await eventually(async () => {
      last = (await host.json('/api/runs')) as Runs;
      return last.runs.length >= 4 && last.attempts.length === 3;
    });
    expect(last?.mostOverlapping).toBe(1);
    expect(last?.attempts).toEqual([0, 1, 2]);
    expect(last?.runs.every((run) => !run.past && run.schedule.next.endsWith('.000Z'))).toBe(true);
    expect(await host.stop()).toBe(0);
    directory.remove();
  });

  it('are refused with a schedule that can not be read, and without the setting they name', async () => {
    const directory = temporaryDirectory();
    const wrong = await runHost({ app: 'timers', data: directory.path, env: { TICK: 'every second' } });
    expect(wrong.code).toBe(1);
    expect(wrong.errors).toContain('no NCRONTAB expression');
    const absent = await runHost({ app: 'timers', data: directory.path });
    expect(absent.code).toBe(1);
    expect(absent.errors).toContain('"TICK"');
    directory.remove();
  });
});

describe.each([
  { mode: 'a child process', args: [] },
  { mode: 'the host process', args: ['--in-process'] },
])('hooks, logs, limits and the end, with the app in $mode', ({ args }) => {
  it('calls every hook, writes one line a record, ends after running work', async () => {
    const directory = temporaryDirectory();
    const notes = path.join(directory.path, 'notes');
    const read = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []);
    const host = await startHost({
      app: 'hooks',
      data: path.join(directory.path, 'data'),
      args,
      env: { SAMPLE_NOTES: notes },
    });
    expect(await (await host.fetch('/api/hooked')).text()).toBe('original');
    expect(await (await host.fetch('/api/hooked', { method: 'PUT' })).text()).toBe('replaced');
    const mended = await host.fetch('/api/hooked', { method: 'DELETE' });
    expect([mended.status, await mended.text()]).toEqual([418, 'mended']);
    expect(read()).toEqual(['appStart', 'post true fine', 'post true fine', 'post true failed']);
    await eventually(() => host.errors().includes("Executed 'Functions.hooked' (Succeeded"));
    expect(host.errors()).toContain('Function.hooked said in\\ntwo lines');

    const slow = host.fetch('/api/slow?for=500');
    await eventually(() => read().includes('slow began'));
    const ended = host.stop();
    expect(await (await slow).text()).toBe('slow');
    expect(await ended).toBe(0);
    expect(read().at(-1)).toBe('appTerminate');
    directory.remove();
  });

  it('fails a run beyond functionTimeout and ends, since nothing else stops its code', async () => {
    const directory = temporaryDirectory();
    const host = await startHost({ app: 'hooks', data: directory.path, args });
    const response = await host.fetch('/api/slow?for=5000');
    expect(response.status).toBe(500);
    await eventually(() => host.process.exitCode !== null);
    expect(host.process.exitCode).toBe(70);
    expect(host.errors()).toContain('functionTimeout');
    directory.remove();
  });

  it('ends its app with it, however it ends', async () => {
    const directory = temporaryDirectory();
    const host = await startHost({ app: 'hooks', data: directory.path, args });
    const children = host.children();
    expect(children).toHaveLength(args.length === 0 ? 1 : 0);
    await host.kill();
    await eventually(() => children.every((pid) => !existsSync(`/proc/${pid}`)));
    await setTimeout(0);
    directory.remove();
  });
});
