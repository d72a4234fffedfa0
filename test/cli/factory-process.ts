import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { layoutOf } from '../../cli/data/layout.ts';
import { type Running, readRunning } from '../../cli/supervision/running-file.ts';

const MAIN = path.resolve('cli/main.ts');
const LIMIT_MS = 240_000;

export const temporary = (): string => mkdtempSync(path.join(tmpdir(), 'factory-cli-'));

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** Runs one command to its end, without a terminal. */
export function factory(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

export type Up = {
  readonly data: string;
  readonly pid: number;
  running(): Running;
  /** Process ids of the roles. */
  roles(): number[];
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** Starts `factory up` on a data directory and a free port, and waits until it is ready. */
export async function up(data: string, ...more: readonly string[]): Promise<Up> {
  const child = spawn(process.execPath, [MAIN, '--data', data, '--json', 'up', '--port', '0', ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => resolve());
    child.on('exit', () => reject(new Error(`factory up ended:\n${err}`)));
  });
  const running = (): Running => readRunning(layoutOf(data))!;
  return {
    data,
    pid: child.pid!,
    running,
    roles: () => running().processes.flatMap(({ pid }) => (pid === null ? [] : [pid])),
    end(signal) {
      child.kill(signal);
      return exit;
    },
  };
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
