import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What Azure's command line was asked and did not answer. `message` begins with the command, never with its values. */
export class AzFailed extends Error {
  override readonly name = 'AzFailed';
  /** There is no `az` on this worker's PATH: no other attempt on this machine can help. */
  readonly absent: boolean;
  constructor(message: string, absent = false) {
    super(message);
    this.absent = absent;
  }
}

/** The whole environment that az gets: where it is, where it keeps the sign-in, the identity of the platform, how it gets out. */
const PASSED =
  /^(PATH|HOME|TMPDIR|AZURE_CONFIG_DIR|IDENTITY_ENDPOINT|IDENTITY_HEADER|REQUESTS_CA_BUNDLE|(https?|no)_proxy|(HTTPS?|NO)_PROXY)$/;
const OUTPUT_BYTES = 64 * 1024 * 1024;
const ERROR_LENGTH = 16_384;

// As for git: what a killed worker began may not go on in its name for longer than it takes to notice. util-linux.
const setpriv = '/usr/bin/setpriv';
const endWithWorker = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];

/**
 * Runs `az` to its end and answers what it wrote. It is not a tool of the repository, and is given nothing but JSON that it sends on; it
 * is the one place where the effector's sign-in to Azure is used. Killed with all it started when `signal` aborts or after `askMs`.
 *
 * @throws AzFailed when it is not there, fails, writes more than 64 MiB or takes too long; the signal's reason when that fired.
 */
export async function runAz(
  args: readonly string[],
  { signal, askMs }: { readonly signal: AbortSignal; readonly askMs: number },
): Promise<string> {
  signal.throwIfAborted();
  const called = `az ${args.slice(0, 3).join(' ')}`;
  const [file = 'az', ...before] = [...endWithWorker, 'az'];
  const child = spawn(file, [...before, ...args], {
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name))),
      AZURE_CORE_NO_COLOR: 'true',
      AZURE_CORE_COLLECT_TELEMETRY: 'false',
      AZURE_CORE_DISABLE_CONFIRM_PROMPT: 'true',
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let why: string | undefined;
  const end = (because: string): void => {
    why ??= because;
    endGroup(child);
  };
  const timer = setTimeout(() => end(`took longer than ${askMs} ms and was ended`), askMs);
  const cancel = (): void => end('was cancelled');
  signal.addEventListener('abort', cancel, { once: true });
  const out: Buffer[] = [];
  let bytes = 0;
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= OUTPUT_BYTES) out.push(chunk);
    else end(`wrote more than ${OUTPUT_BYTES} bytes`);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < ERROR_LENGTH) errors += chunk.toString('utf8');
  });
  try {
    const code = await exitOf(child);
    signal.throwIfAborted();
    if (why !== undefined) throw new AzFailed(`${called} ${why}`);
    // setpriv's code for a program that is not there (env(1) and POSIX shells have the same).
    if (code === 127) throw absent();
    if (code !== 0) throw new AzFailed(`${called} ended with ${code}: ${errors.trim().slice(0, 1_000)}`);
    return Buffer.concat(out).toString('utf8');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

const absent = (): AzFailed => new AzFailed('there is no az on the PATH of this effector', true);

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', () => reject(absent()));
    child.once('close', (code) => resolve(code ?? -1));
  });
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
