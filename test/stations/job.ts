import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Outcome } from '../../shared/domain/job/outcome.ts';
import { completeBody } from '../../shared/jobs/protocol.ts';
import { type TaskContext, TaskFailure, type TaskHandler } from '../../shared/jobs/task.ts';

/** A place for the jobs of one request: each output is a file, each job has its own empty directory. */
export type Jobs = {
  readonly directory: string;
  run(handler: TaskHandler | undefined, job: JobOptions): Promise<Done>;
  /** Bytes that were put in as inputs or came out as outputs. */
  remove(): void;
};

export type JobOptions = {
  readonly task: string;
  readonly station?: string;
  /** Bytes, or the file of an earlier output. */
  readonly inputs: Readonly<Record<string, Uint8Array | string | undefined>>;
  readonly signal?: AbortSignal;
  /** What control gives the job beside its inputs. */
  readonly parameters?: Readonly<Record<string, unknown>>;
};

export type Done = {
  readonly outcome: Outcome | undefined;
  readonly failure: Failure | undefined;
  /** Output name → file. */
  readonly outputs: Readonly<Record<string, string>>;
  text(output: string): string;
  json(output: string): unknown;
};

export function openJobs(): Jobs {
  const directory = mkdtempSync(join(tmpdir(), 'factory-jobs-'));
  let count = 0;
  return {
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
    run: async (handler, job) => {
      if (handler === undefined) throw new Error(`no handler for ${job.task}`);
      count += 1;
      // As long a path as a plane's own: one of a unix socket takes 107 bytes, and one that is longer is refused or cut (unix(7)).
      const home = join(directory, 'work/station/work', 'worker'.padEnd(60, '~'), `job-${count}`);
      mkdirSync(join(home, 'private'), { recursive: true, mode: 0o700 });
      mkdirSync(join(home, 'outputs'));
      const outputs: Record<string, string> = {};
      const context = openContext(home, job, outputs);
      const done = (outcome: Outcome | undefined, failure: Failure | undefined): Done => ({
        outcome,
        failure,
        outputs,
        text: (name) => readFileSync(outputs[name] ?? '', 'utf8'),
        json: (name) => JSON.parse(readFileSync(outputs[name] ?? '', 'utf8')) as unknown,
      });
      try {
        const result = await handler(context);
        if ('failure' in result) return done(undefined, result.failure);
        // What the plane would refuse must not pass here.
        completeBody.parse({ outcome: result.outcome, outputs: [] });
        return done(result.outcome, undefined);
      } catch (error) {
        if (error instanceof TaskFailure) return done(undefined, error.failure);
        throw error;
      } finally {
        rmSync(join(home, 'private'), { recursive: true, force: true });
      }
    },
  };
}

function openContext(home: string, job: JobOptions, outputs: Record<string, string>): TaskContext {
  const bytesOf = (name: string): Buffer => {
    const input = job.inputs[name];
    if (input === undefined)
      throw new TaskFailure({ kind: 'terminal', code: 'INPUT-UNKNOWN', message: `the job has no input ${name}` });
    return typeof input === 'string' ? readFileSync(input) : Buffer.from(input);
  };
  const directory = join(home, 'private');
  return {
    claim: {
      job: 'job_test',
      request: 'req_test',
      application: 'app_test',
      node: job.task.replaceAll('-', '_'),
      round: 1,
      attempt: 1,
      pool: 'verify',
      task: job.task,
      station: job.station ?? null,
      line: job.station ?? 'patch',
      epoch: 1,
      leaseToken: 'token',
      expiresAt: new Date().toISOString(),
      leaseMs: 30_000,
      timeoutMs: 600_000,
      traceparent: null,
      inputs: [],
      parameters: { ...job.parameters },
    },
    signal: job.signal ?? new AbortController().signal,
    directory,
    hasInput: (name) => job.inputs[name] !== undefined,
    input: async (name) => bytesOf(name),
    inputFile: async (name) => {
      const file = join(directory, `input-${name}`);
      writeFileSync(file, bytesOf(name));
      return file;
    },
    output: async (output) => {
      const file = join(home, 'outputs', output.name);
      if ('file' in output) copyFileSync(output.file, file);
      else writeFileSync(file, output.bytes);
      outputs[output.name] = file;
      const bytes = readFileSync(file);
      return {
        name: output.name,
        kind: output.kind,
        mediaType: output.mediaType,
        size: bytes.length,
        digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      };
    },
    intendEffect: () => {
      throw new Error('only effectors intend effects');
    },
    recordEffect: () => {
      throw new Error('only effectors record effects');
    },
    log: () => undefined,
  };
}
