import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bubblewrapPath } from '../../shared/sandbox/bubblewrap/arguments.ts';
import { nodeRuntime } from '../../shared/sandbox/node-runtime.ts';
import { runTimes } from '../../shared/sandbox/sessions/run-in-session.ts';
import { poolTimes } from '../../shared/sandbox/sessions/session-pool.ts';
import { sessionsDriver } from '../../shared/sandbox/sessions/sessions.ts';

const root = path.resolve(import.meta.dirname, '../..');
export const POOL_TOKEN = 'TOKEN-OF-THE-POOL';

/** Whether this machine can stand in for a pool: what is root in a container of its own needs a root that may make one. */
export const canStandIn = process.getuid?.() === 0 && existsSync(bubblewrapPath);
if (!canStandIn)
  process.stderr.write(
    '\na session pool can not be stood in for here (root and bubblewrap), so its tests are skipped\n',
  );

type Answer = { readonly status: number; readonly body: Buffer; readonly headers?: Record<string, string> };
type Heard = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly identifier: string;
  readonly bytes: number;
};

/** What a test does to calls on their way: `before` answers in place of the session, `after` changes what it answered. */
export type Meddling = {
  before?: (call: Heard) => Answer | 'drop' | undefined;
  after?: (call: Heard, answer: Answer) => Answer | 'drop';
  /** Milliseconds that an answer is held back for. */
  hold?: (call: Heard) => number;
  /** The worker's token is forwarded too, which nobody has promised that a pool does not. */
  tokenForwarded?: boolean;
};

/**
 * The management endpoint of a session pool on this machine: one container of namespaces for each identifier, with the real agent in it and without a network, made by the
 * first call and gone with the stop. The agent is that of the sources, or of a build.
 */
export async function startSessionPool(build?: string) {
  const sessions = new Map<string, Container>();
  const ended: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const meddling: Meddling = {};
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      headers.push(request.headers);
      const url = new URL(request.url ?? '/', 'http://pool');
      const identifier = url.searchParams.get('identifier') ?? '';
      const body = Buffer.concat(parts);
      const call = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        identifier,
        bytes: body.length,
      };
      handle(call, request.headers, `${url.pathname}${url.search}`, body)
        .then((answer) => reply(response, answer))
        .catch((error: unknown) => reply(response, { status: 503, body: Buffer.from(String(error)) }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function handle(
    call: Heard,
    given: IncomingHttpHeaders,
    target: string,
    body: Buffer,
  ): Promise<Answer | 'drop'> {
    if (given.authorization !== `Bearer ${POOL_TOKEN}`) return { status: 401, body: Buffer.from('no token') };
    if (!/^[A-Za-z0-9-]{4,128}$/.test(call.identifier)) return { status: 400, body: Buffer.from('no identifier') };
    const instead = meddling.before?.(call);
    if (instead !== undefined) return instead;
    if (call.path === '/.management/stopSession') {
      if (call.method !== 'POST' || !/^\d{4}-\d\d-\d\d(-preview)?$/.test(call.query.get('api-version') ?? ''))
        return { status: 400, body: Buffer.alloc(0) };
      const session = sessions.get(call.identifier);
      if (session === undefined) return { status: 404, body: Buffer.alloc(0) };
      sessions.delete(call.identifier);
      ended.push(call.identifier);
      await session.kill();
      return { status: 200, body: Buffer.from('stopped') };
    }
    let session = sessions.get(call.identifier);
    if (session === undefined) {
      session = startContainer(build);
      sessions.set(call.identifier, session);
    }
    await session.ready;
    const answer = await forward(
      session.socket,
      call.method,
      target,
      body,
      meddling.tokenForwarded === true ? given.authorization : undefined,
    );
    await sleep(meddling.hold?.(call) ?? 0);
    return meddling.after?.(call, answer) ?? answer;
  }

  return {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    sessions,
    ended,
    headers,
    meddling,
    async close() {
      for (const session of sessions.values()) await session.kill();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The real driver on a pool, as impatient as tests are. */
export const driverOf = (
  pool: { readonly endpoint: string },
  times: Partial<typeof poolTimes & typeof runTimes> = {},
  token = POOL_TOKEN,
) =>
  sessionsDriver({
    endpoint: pool.endpoint,
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    times: { ...poolTimes, ...runTimes, allocate: 5_000, unreachable: 2_000, pause: 20, ...times },
  });

type Container = { readonly socket: string; readonly ready: Promise<void>; kill(): Promise<void> };

function startContainer(build: string | undefined): Container {
  const place = mkdtempSync(path.join(tmpdir(), 'session-'));
  chmodSync(place, 0o700);
  const node = nodeRuntime();
  const child: ChildProcess = spawn(
    bubblewrapPath,
    [
      ...['--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--die-with-parent', '--clearenv'],
      ...['--ro-bind', '/usr', '/usr', '--dev', '/dev', '--proc', '/proc', '--perms', '1777', '--tmpfs', '/tmp'],
      // Directories that bubblewrap makes on the way are closed to all but root.
      ...['/etc', '/opt', '/opt/node', '/opt/node/bin', '/opt/node/lib', '/opt/node/lib/node_modules'].flatMap(
        (each) => [...['--perms', '0755', '--dir', each]],
      ),
      ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
      ...['/etc/ld.so.cache', '/etc/alternatives'].flatMap((each) => ['--ro-bind-try', each, each]),
      ...node.mounts.flatMap(({ source, target }) => ['--ro-bind', source, target]),
      ...node.links.flatMap(({ at, to }) => ['--symlink', to, at]),
      ...(build === undefined ? ['shared', 'container', 'package.json'] : ['.']).flatMap((name) => [
        ...['--ro-bind', path.join(build ?? root, name), path.join('/app', name)],
      ]),
      ...['--bind', place, '/run/agent', '--'],
      ...[
        path.join(node.binDirectory, 'node'),
        build === undefined ? '/app/container/session/main.ts' : '/app/main.js',
        '/run/agent/socket',
      ],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const gone = once(child, 'exit');
  const socket = path.join(place, 'socket');
  const ready = (async () => {
    for (let waited = 0; !existsSync(socket); waited++) {
      if (waited === 1_000 || child.exitCode !== null) throw new Error(`the agent did not start: ${said}`);
      await sleep(10);
    }
  })();
  ready.catch(() => undefined);
  return {
    socket,
    ready,
    async kill() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await gone;
      rmSync(place, { recursive: true, force: true });
    },
  };
}

/** As the pool's proxy: to the same path and query. */
function forward(
  socketPath: string,
  method: string,
  path: string,
  body: Buffer,
  authorization: string | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length, ...(authorization === undefined ? {} : { authorization }) };
    const request = httpRequest({ socketPath, method, path, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function reply(response: ServerResponse, answer: Answer | 'drop'): void {
  if (answer === 'drop') {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { 'content-length': answer.body.length, ...answer.headers });
  response.end(answer.body);
}
