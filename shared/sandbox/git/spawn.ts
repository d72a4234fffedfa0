import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { defaultGitLimits, type GitLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';

/** One call of git. This file is the only place of the product that starts it. */
export type GitCall = {
  /** The bare repository to work on. */
  readonly repository?: string;
  readonly arguments: readonly string[];
  readonly stdin?: Uint8Array | string;
  /** Protocols that this call may use, by git's names (`https`, `ssh`, `file`). None unless given. */
  readonly allowProtocol?: readonly string[];
  /** Extra configuration, passed by environment so that a credential in it is in no command line. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Index, identity and work tree variables of git; never a way around the fixed environment below. */
  readonly variables?: Readonly<Partial<Record<GitVariable, string>>>;
  /** Exit codes that are answers rather than failures. */
  readonly answers?: readonly number[];
  readonly limits?: GitLimits;
  readonly signal?: AbortSignal | undefined;
};

type GitVariable = 'GIT_INDEX_FILE' | 'GIT_WORK_TREE' | `GIT_${'AUTHOR' | 'COMMITTER'}_${'NAME' | 'EMAIL' | 'DATE'}`;

export type GitAnswer = { readonly exitCode: number; readonly stdout: Buffer; readonly stderr: string };

// What a repository or the machine's configuration could make git run, read or rewrite, switched off (git-config(1)).
const fixedConfiguration: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.quotePath': 'true',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.bigFileThreshold': '32m',
  'core.pager': 'cat',
  'commit.gpgSign': 'false',
  'credential.helper': '',
  'diff.external': '',
  'fetch.recurseSubmodules': 'false',
  'fetch.writeCommitGraph': 'false',
  'gc.auto': '0',
  // A redirect would carry http.extraHeader, and with it a token, to another host.
  'http.followRedirects': 'false',
  'maintenance.auto': 'false',
  'protocol.allow': 'never',
  'submodule.recurse': 'false',
  'transfer.fsckObjects': 'true',
};

// A fetch or push may not outlive a worker that was killed: its lease is someone else's soon. util-linux; elsewhere time limits do.
const setpriv = '/usr/bin/setpriv';
const endWithWorker = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];

/** Starts git for a caller that streams. Callers that don't use {@link runGit}. The process is killed when `signal` aborts. */
export function startGit(call: GitCall): ChildProcessWithoutNullStreams {
  const protocols = call.allowProtocol ?? [];
  const configuration = {
    ...fixedConfiguration,
    ...Object.fromEntries(protocols.map((name) => [`protocol.${name}.allow`, 'always'])),
    ...call.configuration,
  };
  const pairs = Object.entries(configuration);
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOW_PROTOCOL: protocols.join(':'),
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    ...call.variables,
    GIT_CONFIG_COUNT: String(pairs.length),
  };
  pairs.forEach(([key, value], index) => {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  const [file = 'git', ...args] = [
    ...endWithWorker,
    'git',
    ...(call.repository === undefined ? [] : [`--git-dir=${call.repository}`]),
    ...call.arguments,
  ];
  const child = spawn(file, args, {
    cwd: tmpdir(),
    env: environment,
    // Its own group, so that a helper (index-pack, remote-https, upload-pack) ends with it.
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  const cancel = () => endGit(child);
  call.signal?.addEventListener('abort', cancel, { once: true });
  child.once('close', () => call.signal?.removeEventListener('abort', cancel));
  if (call.signal?.aborted === true) cancel();
  return child;
}

/** Kills git and its helpers. */
export function endGit(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Runs git to its end. Throws `GIT-FAILED` (with what git said), `GIT-TIMED-OUT`, `GIT-CANCELLED` or `GIT-OUTPUT-TOO-LARGE`.
 */
export async function runGit(call: GitCall): Promise<GitAnswer> {
  const limits = call.limits ?? defaultGitLimits;
  const name = call.arguments.find((argument) => !argument.startsWith('-')) ?? 'git';
  const child = startGit(call);
  let ended: SandboxRefusal | undefined;
  const end = (refusal: SandboxRefusal): void => {
    ended ??= refusal;
    endGit(child);
  };
  const timer = setTimeout(
    () =>
      end(
        new SandboxRefusal('GIT-TIMED-OUT', `git ${name} took longer than ${limits.wallMs} ms and was ended`, {
          limit: limits.wallMs,
        }),
      ),
    limits.wallMs,
  );
  const stdout: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= limits.outputBytes) stdout.push(chunk);
    else
      end(
        new SandboxRefusal('GIT-OUTPUT-TOO-LARGE', `git ${name} wrote more than ${limits.outputBytes} bytes`, {
          limit: limits.outputBytes,
        }),
      );
  });
  const stderr = keepText(child.stderr);
  child.stdin.end(call.stdin ?? '');
  try {
    const exitCode = await exitOf(child);
    if (call.signal?.aborted === true) throw new SandboxRefusal('GIT-CANCELLED', `git ${name} was cancelled`);
    if (ended !== undefined) throw ended;
    if (exitCode !== 0 && !(call.answers ?? []).includes(exitCode)) throw gitFailure(name, exitCode, stderr());
    return { exitCode, stdout: Buffer.concat(stdout), stderr: stderr() };
  } finally {
    clearTimeout(timer);
  }
}

/** The exit code once all output was read; -1 for death by a signal. */
export function exitOf(child: ChildProcessWithoutNullStreams): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new SandboxRefusal('GIT-FAILED', `git can't be started: ${cause.message}. Install git`, { cause })),
    );
    child.once('close', (code) => resolve(code ?? -1));
  });
}

/** The first 16 KiB of a stream as text, read later. */
export function keepText(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.length < 16_384) text += chunk.toString('utf8');
  });
  return () => text;
}

export function gitFailure(name: string, exitCode: number, stderr: string): SandboxRefusal {
  return new SandboxRefusal(
    'GIT-FAILED',
    `git ${name} ended with ${exitCode}: ${withoutCredentials(stderr).trim().slice(0, 1000)}`,
  );
}

/** Text of git's that may go into a log: user information of URLs is taken out. */
export function withoutCredentials(text: string): string {
  return text.replace(/(\w+:\/\/)[^/@\s]+@/g, '$1');
}
