import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PROGRAM } from '../../shared/domain/program.ts';
import { stdinBytes } from '../../shared/sandbox/limits.ts';
import { MultiplexRefused } from '../../shared/sandbox/sessions/multiplex.ts';
import {
  LONGEST_WAIT_MS,
  MESSAGE_BYTES,
  MOUNT_BYTES,
  MOUNTS,
  PART_BYTES,
  SESSION_PROTOCOL,
  type SessionHello,
} from '../../shared/sandbox/sessions/protocol.ts';
import { changesOf, uploadOf } from './mounts.ts';
import { OrderRefused, readOrder } from './order.ts';
import { beginSession, type Session, STDIN } from './session.ts';
import type { Spool } from './spool.ts';

class CallRefused extends Error {
  readonly status: number;
  constructor(status: number, why: string) {
    super(why);
    this.status = status;
  }
}

/** The calls of one session (`protocol.ts`). Nothing of a call is logged, and no header of one is looked at. */
export function sessionServer(spool: Spool): {
  readonly server: Server;
  readonly calledAt: () => number | undefined;
  readonly stop: () => void;
} {
  const instance = randomBytes(16).toString('hex');
  let session: Session | undefined;
  let calledAt: number | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://session');
    const call = `${request.method} ${url.pathname}`;
    const number = (name: string): number => {
      const value = url.searchParams.get(name) ?? '';
      if (!/^\d{1,15}$/.test(value)) throw new CallRefused(400, `${name} is no number`);
      return Number(value);
    };
    const wait = (): number => Math.min(number('wait'), LONGEST_WAIT_MS);
    const json = (value: unknown): void => send(response, 200, 'application/json', Buffer.from(JSON.stringify(value)));
    const running = (): Session => {
      if (session === undefined) throw new CallRefused(409, 'nothing was ordered');
      return session;
    };
    if (call === 'GET /v1/session') {
      const hello: SessionHello = {
        protocol: SESSION_PROTOCOL,
        agent: PROGRAM.version,
        // Every call needs it, and the ordered program can reach this port: from the order on only the worker has it.
        instance: session === undefined ? instance : '',
        used: session !== undefined,
      };
      return json(hello);
    }
    if (url.searchParams.get('instance') !== instance) throw new CallRefused(410, 'this is another instance');

    const mount = /^\/v1\/mounts\/(\d{1,2})$/.exec(url.pathname)?.[1];
    if (request.method === 'PUT' && (mount !== undefined || url.pathname === '/v1/stdin')) {
      const at = number('at');
      const most = mount === undefined ? stdinBytes : MOUNT_BYTES;
      const part = await bodyOf(request, PART_BYTES);
      if (session !== undefined) throw new CallRefused(409, 'the run was already ordered');
      if (Number(mount ?? 0) >= MOUNTS || at + part.length > most) throw new CallRefused(413, 'too much');
      const bytes = await spool.put(mount === undefined ? STDIN : uploadOf(Number(mount)), at, part);
      if (bytes === undefined) throw new CallRefused(409, 'bytes before it are missing');
      return json({ bytes });
    }
    if (call === 'POST /v1/run') {
      const order = readOrder(parsed(await bodyOf(request, MESSAGE_BYTES)));
      // Looked at after the last pause: two orders at once are still one too many.
      if (session !== undefined) throw new CallRefused(409, 'a session runs one program and no second one');
      session = beginSession(order, spool);
      return json({});
    }
    if (call === 'GET /v1/run') {
      const had = { stdout: number('stdout'), stderr: number('stderr'), made: number('made') };
      return json(await running().state(had, wait()));
    }
    if (call === 'POST /v1/stop') {
      running().stop();
      return json({});
    }
    if (call === 'GET /v1/relay') {
      const frames = running().relay()?.frames;
      const after = number('after');
      await frames?.waitFor(after, wait());
      return send(response, 200, 'application/octet-stream', frames?.pending(after) ?? Buffer.alloc(0));
    }
    if (call === 'POST /v1/relay') {
      const frames = running().relay()?.frames;
      await frames?.receive(number('at'), await bodyOf(request, PART_BYTES));
      return json({ bytes: frames?.received() ?? 0 });
    }
    if (request.method === 'GET' && mount !== undefined) {
      const all = Number.MAX_SAFE_INTEGER;
      const state = await running().state({ stdout: all, stderr: all, made: all }, 0);
      if (state.end?.changes.every((each) => each.mount !== Number(mount)) !== false)
        throw new CallRefused(404, 'nothing changed there');
      const part = await spool.part(changesOf(Number(mount)), number('at'), PART_BYTES);
      return send(response, 200, 'application/octet-stream', part);
    }
    throw new CallRefused(404, 'there is no such call');
  };

  const server = createServer((request, response) => {
    calledAt = performance.now();
    answer(request, response).catch((error: unknown) => {
      const status =
        error instanceof CallRefused
          ? error.status
          : error instanceof OrderRefused || error instanceof MultiplexRefused
            ? 400
            : 500;
      const why = error instanceof Error ? error.message : String(error);
      if (!response.headersSent) send(response, status, 'text/plain', Buffer.from(why.slice(0, 500)));
      request.resume();
    });
  });
  return { server, calledAt: () => calledAt, stop: () => session?.stop() };
}

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new CallRefused(400, 'the body is no JSON');
  }
}

async function bodyOf(request: IncomingMessage, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > most) throw new CallRefused(413, `a body may have ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
