import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isAlive, processStatus } from '../../shared/sandbox/running/processes.ts';
import { bubblewrap, inside, limits, probed, text, writableDirectory } from './sandboxes.ts';

/** Processes anywhere on the machine whose command line holds a text. */
function processesWith(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
      } catch {
        return false;
      }
    });
}

let marks = 0;
const mark = (): string => `7${process.pid}${++marks}`;

describe.skipIf(!probed.usable)('bubblewrap limits', () => {
  test('an exit code, a signal, a missing program and both outputs come back', async () => {
    expect(await inside('echo out; echo err >&2; exit 3')).toMatchObject({
      exitCode: 3,
      signal: null,
      endedBy: 'itself',
      stdout: Buffer.from('out\n'),
      stderr: Buffer.from('err\n'),
    });
    expect(await inside('kill -SEGV $$')).toMatchObject({ exitCode: 139, signal: 'SIGSEGV', endedBy: 'itself' });
    expect(await inside('', { argv: ['/no/such/program'] })).toMatchObject({ exitCode: 127 });
    expect(text((await inside('cat', { stdin: Buffer.from('handed in') })).stdout)).toBe('handed in');
    const big = Buffer.alloc(3_000_000, 'x');
    expect((await inside('head -c 10', { stdin: big })).stdout).toEqual(Buffer.alloc(10, 'x'));
  });

  test('a sandbox that can not be set up is a refusal, not a failed program', async () => {
    await expect(inside('true', { workingDirectory: '/absent' })).rejects.toMatchObject({
      code: 'SANDBOX-SETUP-FAILED',
    });
  });

  test('an endless loop and all it left behind is ended by the wall limit', async () => {
    const sleeper = mark();
    const result = await inside(`setsid sleep ${sleeper} & (sleep ${sleeper} &) ; while :; do :; done`, {
      limits: { ...limits, wallMs: 700 },
    });
    expect(result).toMatchObject({ timedOut: true, endedBy: 'wall', exitCode: null });
    expect(processesWith(sleeper)).toEqual([]);
  });

  test('a program that keeps more on disk than its limit is ended, one that cleans up behind itself is not', async () => {
    const directory = writableDirectory();
    const run = (script: string) =>
      inside(script, {
        mounts: [{ source: directory, target: '/workspace', mode: 'read-write' }],
        workingDirectory: '/workspace',
        limits: { ...limits, diskBytes: 32 * 1024 * 1024 },
      });
    const write = 'head -c 8000000 /dev/zero > kept';
    const tidy = await run(`for i in 1 2 3 4 5 6 7 8 9 10; do ${write}; sleep 0.05; done; echo done`);
    expect(tidy).toMatchObject({ endedBy: 'itself', exitCode: 0 });
    const greedy = await run(`i=0; while :; do i=$((i + 1)); ${write}$i; sleep 0.02; done`);
    expect(greedy).toMatchObject({ endedBy: 'disk', exitCode: null });
  });

  test('a program that ends takes its daemons with it', async () => {
    const sleeper = mark();
    const result = await inside(`setsid sleep ${sleeper} > /dev/null 2>&1 & sleep 0.05; echo done`);
    expect(text(result.stdout)).toBe('done\n');
    expect(processesWith(sleeper)).toEqual([]);
  });

  test('cancelling ends it, also before it began', async () => {
    const sleeper = mark();
    const controller = new AbortController();
    const handle = await bubblewrap.start({
      argv: ['/bin/sh', '-c', `echo up; trap '' TERM INT; sleep ${sleeper}`],
      workingDirectory: '/',
      mounts: [],
      environment: {},
      limits,
      signal: controller.signal,
    });
    await expect.poll(() => text(handle.captured().stdout)).toBe('up\n');
    controller.abort();
    expect(await handle.exited).toMatchObject({ cancelled: true, endedBy: 'cancelled' });
    expect(processesWith(sleeper)).toEqual([]);
    expect(await inside('sleep 30', { signal: AbortSignal.abort() })).toMatchObject({ cancelled: true });
  });

  test('a fork bomb stops at the process limit, and its neighbour is not counted with it', async () => {
    const bomb = inside('f() { f | f & }; f; sleep 1', { limits: { ...limits, processes: 40, wallMs: 2500 } });
    const neighbour = await inside('for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3 & done; wait; echo fine', {
      limits: { ...limits, processes: 40 },
    });
    expect(text(neighbour.stdout)).toBe('fine\n');
    const crowd = await inside('(for i in $(seq 60); do sleep 20 & done) 2> /dev/null; set -- /proc/[0-9]*; echo $#', {
      limits: { ...limits, processes: 40 },
    });
    expect(Number(text(crowd.stdout))).toBeGreaterThan(30);
    // The sandbox's first process was there before the limit.
    expect(Number(text(crowd.stdout))).toBeLessThanOrEqual(41);
    const result = await bomb;
    expect(text(result.stderr)).toMatch(/Cannot fork|Resource temporarily unavailable/);
  });

  test('a memory hog is ended: alone, shared out over processes', async () => {
    const small = { ...limits, memoryBytes: 200 * 1024 * 1024, wallMs: 10_000 };
    const alone = await inside("exec node -e 'const held = []; for (;;) held.push(Buffer.alloc(16 << 20, 1))'", {
      limits: small,
    });
    expect(alone).toMatchObject({ endedBy: 'memory', exitCode: null });
    const hog = "node -e 'const held = Buffer.alloc(90 << 20, 1); setTimeout(() => held, 60000)'";
    const shared = await inside(`${hog} & ${hog} & ${hog} & wait`, { limits: small });
    expect(shared).toMatchObject({ endedBy: 'memory', exitCode: null });
  });

  test("files without a name count: in memory by its limit, on disk by the disk's", async ({ skip }) => {
    if ((await inside('command -v python3')).exitCode !== 0) return skip('making one needs Python');
    const python = (script: string, changes: Parameters<typeof inside>[1]) =>
      inside('exec python3 -', { stdin: Buffer.from(script), ...changes });
    const memory = await python(
      'import os, time\nheld = os.memfd_create("held")\nfor _ in range(20): os.write(held, bytes(16 << 20))\ntime.sleep(60)\n',
      { limits: { ...limits, memoryBytes: 200 * 1024 * 1024 } },
    );
    expect(memory).toMatchObject({ endedBy: 'memory', exitCode: null });
    const disk = await python(
      'import os, time\nheld = os.open("/workspace/held", os.O_RDWR | os.O_CREAT)\nos.unlink("/workspace/held")\nfor _ in range(20): os.write(held, os.urandom(4 << 20))\ntime.sleep(60)\n',
      {
        mounts: [{ source: writableDirectory(), target: '/workspace', mode: 'read-write' }],
        limits: { ...limits, diskBytes: 32 * 1024 * 1024 },
      },
    );
    expect(disk).toMatchObject({ endedBy: 'disk', exitCode: null });
    const sparse = await python(
      'import os\nheld = os.memfd_create("held")\nos.ftruncate(held, 400 << 20)\nimport time; time.sleep(1)\nprint("kept")\n',
      { limits: { ...limits, memoryBytes: 200 * 1024 * 1024 } },
    );
    expect(text(sparse.stdout)).toBe('kept\n');
  });

  test('stopping what supervises it, or tracing it, buys no time beyond the wall', async ({ skip }) => {
    if ((await inside('command -v python3')).exitCode !== 0) return skip('tracing needs Python');
    const sleeper = mark();
    const script = [
      'import ctypes, os, signal, subprocess, time',
      'libc = ctypes.CDLL(None, use_errno=True)',
      'for sent in (signal.SIGSTOP, signal.SIGTSTP): os.kill(1, sent)',
      'for pid in (1, os.getppid()): libc.ptrace(16, pid, 0, 0)', // PTRACE_ATTACH
      `subprocess.Popen(["sleep", "${sleeper}"], start_new_session=True)`,
      'print("up", flush=True)',
      'time.sleep(600)',
    ].join('\n');
    const result = await inside('exec python3 -', {
      stdin: Buffer.from(script),
      limits: { ...limits, wallMs: 6_000 },
    });
    expect(text(result.stdout)).toBe('up\n');
    expect(result).toMatchObject({ endedBy: 'wall', timedOut: true, exitCode: null });
    expect(processesWith(sleeper)).toEqual([]);
    const traced = await inside('exec python3 -', {
      stdin: Buffer.from('import ctypes\nctypes.CDLL(None).ptrace(16, 1, 0, 0)\n'),
      limits: { ...limits, wallMs: 6_000 },
    });
    // It ends by itself, or what it stopped is ended by the wall: never later.
    expect(['itself', 'wall']).toContain(traced.endedBy);
  });

  test('Node with worker threads and WebAssembly runs within a moderate memory limit', async () => {
    const program = `
      const { Worker } = require('node:worker_threads');
      new WebAssembly.Memory({ initial: 10 });
      for (let index = 0; index < 4; index++) new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }).on('message', console.log);`;
    const result = await inside('node -', {
      stdin: Buffer.from(program),
      limits: { ...limits, memoryBytes: 256 * 1024 * 1024 },
    });
    expect(text(result.stdout)).toBe('1\n1\n1\n1\n');
  });

  test('an output flood is cut, then ended', async () => {
    const cut = await inside('head -c 5000 /dev/zero; head -c 5000 /dev/zero >&2; echo end >&2', {
      limits: { ...limits, outputBytes: 1000 },
    });
    expect(cut).toMatchObject({ exitCode: 0, outputTruncated: true });
    expect(cut.stdout).toHaveLength(1000);
    const flood = await inside('yes', { limits: { ...limits, outputBytes: 1000 } });
    expect(flood).toMatchObject({ endedBy: 'output', outputTruncated: true });
    expect(flood.stdout).toHaveLength(1000);
    const whole = await inside('head -c 1000 /dev/zero', { limits: { ...limits, outputBytes: 1000 } });
    expect(whole.outputTruncated).toBe(false);
  });

  test('file size, open files, processor time and scratch space are bounded', async () => {
    const file = await inside('head -c 3000000 /dev/zero > /tmp/x; stat -c %s /tmp/x', {
      limits: { ...limits, fileBytes: 1_000_000 },
    });
    expect(text(file.stdout)).toBe('1000000\n');
    const open = await inside('ulimit -n', { limits: { ...limits, openFiles: 64 } });
    expect(text(open.stdout)).toBe('64\n');
    const processor = await inside('while :; do :; done', { limits: { ...limits, cpuSeconds: 1, wallMs: 10_000 } });
    expect(processor).toMatchObject({ endedBy: 'itself', exitCode: 137 });
    expect(
      text((await inside('df --output=size -k /tmp ~ /dev/shm | tail -n 3')).stdout)
        .trim()
        .split(/\s+/),
    ).toEqual(['524288', '524288', '524288']);
  });

  test('a worker killed with SIGKILL leaves no survivor', async () => {
    const sleeper = mark();
    const program = `
      import { bubblewrapDriver } from ${JSON.stringify(new URL('../../shared/sandbox/bubblewrap/bubblewrap.ts', import.meta.url).href)};
      import { defaultSandboxLimits as limits } from ${JSON.stringify(new URL('../../shared/sandbox/limits.ts', import.meta.url).href)};
      const handle = await bubblewrapDriver().start({ argv: ['/bin/sh', '-c', 'setsid sleep ${sleeper} & echo up; sleep ${sleeper}'], workingDirectory: '/', mounts: [], environment: {}, limits });
      const watch = setInterval(() => { if (handle.captured().stdout.length > 0) { console.log('up'); clearInterval(watch); } }, 10);`;
    const worker: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void worker.kill('SIGKILL'));
    if (worker.stdout === null) throw new Error('no pipe');
    await once(worker.stdout, 'data');
    expect(processesWith(sleeper).length).toBeGreaterThanOrEqual(2);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await expect.poll(() => processesWith(sleeper)).toEqual([]);
  });

  test('a process is known by its start, not by its number', () => {
    const self = processStatus(process.pid);
    expect(self?.parent).toBe(process.ppid);
    expect(isAlive(process.pid, self?.startedAt ?? '')).toBe(true);
    expect(isAlive(process.pid, '1')).toBe(false);
  });
});
