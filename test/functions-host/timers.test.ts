import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, runHost, startHost, temporaryDirectory } from './host-process.ts';

interface Runs {
  readonly runs: { readonly schedule: { readonly next: string }; readonly past: boolean }[];
  readonly mostOverlapping: number;
  readonly attempts: number[];
  readonly spans: { readonly past: boolean; readonly last: string | null }[];
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

  it('run at the start when their time fell into a stop, once, and run by hand', async () => {
    const directory = temporaryDirectory();
    const start = (SPAN: string) =>
      startHost({ app: 'timers', data: directory.path, args: ['--in-process'], env: { TICK: '0 0 0 1 1 *', SPAN } });
    /** Runs the host once; gives the runs of the spans it took. */
    const spans = async (span: string, count: number) => {
      const host = await start(span);
      let taken: Runs['spans'] = [];
      await eventually(async () => {
        taken = ((await host.json('/api/runs')) as Runs).spans;
        return taken.length >= count;
      });
      expect(await host.stop()).toBe(0);
      return taken;
    };
    /** As if the host had been stopped for three hours. */
    const letTimePass = () => {
      const database = new DatabaseSync(path.join(directory.path, 'functions-host.sqlite'));
      database.exec(
        'update timers set last = last - 10800000, next = next - 10800000, updated_at = updated_at - 10800000',
      );
      database.close();
    };

    expect(await spans('01:00:00', 0)).toEqual([]);
    letTimePass();
    expect(await spans('01:00:00', 1)).toEqual([{ past: true, last: '0001-01-01T00:00:00+00:00' }]);
    expect(await spans('01:00:00', 0)).toEqual([]);
    letTimePass();
    expect(await spans('01:30:00', 0), 'a changed schedule begins anew').toEqual([]);
    letTimePass();
    const [late] = await spans('01:30:00', 1);
    expect(late?.past).toBe(true);

    const host = await start('01:30:00');
    expect((await host.manage('/admin/functions/span', { method: 'POST', body: '{}' })).status).toBe(202);
    await eventually(async () => ((await host.json('/api/runs')) as Runs).spans.length === 1);
    expect(((await host.json('/api/runs')) as Runs).spans).toEqual([{ past: false, last: null }]);
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
    expect(host.errors()).toContain('warning Function.hooked said in\\ntwo lines, seen by the hook of hooked true');
    expect(host.errors()).toContain('information Function.hooked of the hook itself\n');
    expect(host.errors()).not.toContain('hooks keep nothing');

    const slow = host.fetch('/api/slow?for=500');
    await eventually(() => read().includes('slow began'));
    const ended = host.stop();
    expect(await (await slow).text()).toBe('slow');
    expect(await ended).toBe(0);
    expect(read().at(-1)).toBe('appTerminate true');
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
