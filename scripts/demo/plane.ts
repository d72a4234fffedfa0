import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { openPlaneApi, type PlaneApi } from '../../cli/api/plane-api.ts';
import { type Layout, layoutOf } from '../../cli/data/layout.ts';
import { CommandFailure } from '../../cli/failure.ts';
import type { SandboxName } from '../../cli/supervision/process-plans.ts';
import { readRunning } from '../../cli/supervision/running-file.ts';

const FACTORY = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const FOLLOW = fileURLToPath(new URL('../../cli/supervision/follow-supervisor.ts', import.meta.url));

const readyLine = z.object({ ready: z.literal(true), controlUrl: z.string(), pid: z.int() });

export type DemoPlane = {
  readonly controlUrl: string;
  readonly layout: Layout;
  /** The API as one local identity. */
  as(identity: string): Promise<PlaneApi>;
  /** Process ids of the supervisor and of every role. */
  pids(): readonly { readonly name: string; readonly pid: number }[];
  /** SIGKILL to every process at once, as a power cut would. */
  cut(): Promise<void>;
  stop(): Promise<void>;
};

/** Runs \`factory up\` as its own process, which starts each role as its own. It ends with this process, however that ends. */
export async function startPlane(options: {
  readonly data: string;
  readonly sandbox: SandboxName;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<DemoPlane> {
  const { data, sandbox } = options;
  const child = spawn(
    process.execPath,
    ['--import', FOLLOW, FACTORY, '--data', data, '--json', 'up', '--port', '0', '--sandbox', sandbox],
    {
      env: { ...process.env, ...options.environment, FACTORY_SUPERVISOR_PIPE: '3' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  const { controlUrl } = await untilReady(child);
  const layout = layoutOf(data);
  const gone = (): Promise<unknown> =>
    child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
  const pids = (): { name: string; pid: number }[] => {
    const running = readRunning(layout);
    const roles = (running?.processes ?? []).flatMap(({ name, pid }) => (pid === null ? [] : [{ name, pid }]));
    return child.pid === undefined ? roles : [{ name: 'supervisor', pid: child.pid }, ...roles];
  };
  return {
    controlUrl,
    layout,
    as: (identity) => openPlaneApi({ data, as: identity }),
    pids,
    async cut() {
      for (const { pid } of pids()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended with its supervisor already.
        }
      }
      await gone();
    },
    async stop() {
      child.kill('SIGTERM');
      await gone();
    },
  };
}

async function untilReady(child: ChildProcess): Promise<z.infer<typeof readyLine>> {
  let out = '';
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  return await new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const line = out.split('\n').find((each) => each.startsWith('{'));
      if (line !== undefined) resolve(readyLine.parse(JSON.parse(line)));
    });
    child.on('exit', () => reject(new CommandFailure(`The plane did not start:\n${said}`)));
  });
}
