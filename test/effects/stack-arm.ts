import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Arm, armAt } from '../../shared/effects/azure-deployments/arm.ts';

/** The one token that the stand-in takes. */
export const TOKEN = 'token-of-the-effector';
const NEVER = Date.parse('2100-01-01T00:00:00Z');
export const signedIn = { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: NEVER }) };
/** An az that is signed in, and knows nothing but that; answers the PATH that has it. */
export function signInOnPath(directory: string): string {
  const bin = path.join(directory, 'signed-in');
  mkdirSync(bin, { recursive: true });
  const token = JSON.stringify({ accessToken: TOKEN, expires_on: NEVER / 1_000 });
  const program = `#!/bin/sh\n[ "$1 $2" = "account get-access-token" ] || exit 64\necho '${token}'\n`;
  writeFileSync(path.join(bin, 'az'), program);
  chmodSync(path.join(bin, 'az'), 0o755);
  return `${bin}:${process.env['PATH'] ?? ''}`;
}

/** Short enough for a test, and otherwise as in the product. */
export const quick = {
  answerBytes: 1_000_000,
  askMs: 20_000,
  callMs: 10_000,
  calls: 50,
  repeats: 2,
  pauseMs: 1,
  pollMs: 1,
};

type Change = { readonly resourceId: string; readonly changeType: string };
/** A look ahead as az prints it, and as a plan is made of it. */
export const whatIf = (...changes: readonly Change[]) => ({ status: 'Succeeded', changes });

/** What is asked for: the look ahead, where it goes on, the stack, a deployment. */
export type Asked = 'whatIf' | 'result' | 'stack' | 'create';
/** An answer out of order. `hang` never comes; `die` ends the connection without one; `dieAfter` does what was asked before that. */
export type Odd =
  | 'hang'
  | 'die'
  | 'dieAfter'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown };

export type StackArm = Awaited<ReturnType<typeof stackArm>>;

/**
 * Azure Resource Manager with one deployment stack, over HTTP on loopback: a look ahead that goes on at a Location, a stack that is made,
 * is under way for a while and comes to rest, and no second update beside one. It demands the token. Begins without a stack; deploying
 * succeeds at the next look, and nothing would change from then on.
 */
export async function stackArm() {
  let stack: { mark: string; state: string } | undefined;
  let changes: readonly Change[] = [];
  let [pending, lag, result] = [0, 0, 0];
  let ends = 'succeeded';
  let applied: { template: unknown; parameters: unknown; location: unknown } | null = null;
  const calls: string[] = [];
  const bodies: unknown[] = [];
  const odd = new Map<Asked, Odd[]>();

  const error = (response: ServerResponse, status: number, code: string, message: string): void =>
    answer(response, status, { error: { code, message } });
  const done: Record<Asked, (request: IncomingMessage, response: ServerResponse, body: Sent) => void> = {
    whatIf({ headers }, response) {
      result += 1;
      const place = `http://${headers.host}/subscriptions/x/operationresults/${result}?api-version=2025-04-01`;
      answer(response, 202, undefined, { location: place, 'retry-after': '0' });
    },
    result({ url = '' }, response) {
      // Each goes on once before it ends.
      if (!seen.has(url)) {
        seen.add(url);
        return answer(response, 202, undefined, { location: url });
      }
      answer(response, 200, { status: 'Succeeded', properties: { changes, diagnostics: [] } });
    },
    stack(_request, response) {
      if (stack === undefined || (lag > 0 && applied !== null)) {
        lag -= 1;
        return error(response, 404, 'DeploymentStackNotFound', 'The deployment stack could not be found.');
      }
      const under = pending > 0 ? 'Deploying' : stack.state;
      if (pending > 0) pending -= 1;
      answer(response, 200, {
        name: 'factory-dev',
        properties: { description: stack.mark, provisioningState: under, resources: [] },
      });
    },
    create(_request, response, { location, properties }) {
      if (stack !== undefined && pending > 0)
        return error(response, 409, 'DeploymentStackInNonTerminalState', 'Another update is under way.');
      applied = { template: properties?.template, parameters: properties?.parameters, location };
      stack = { mark: properties?.description ?? '', state: ends };
      changes = [];
      answer(response, 201, { properties: { provisioningState: 'creating' } });
    },
  };
  const seen = new Set<string>();

  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const asked = askedFor(request);
    calls.push(`${asked ?? 'nothing'} ${request.method} ${request.url}`);
    const body = (text === '' ? {} : JSON.parse(text)) as Sent;
    if (text !== '') bodies.push(body);
    if (asked === undefined) return error(response, 404, 'NotFound', `There is nothing at ${request.url}.`);
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return error(response, 401, 'InvalidAuthenticationToken', `Not taken: ${request.headers.authorization}`);
    const next = odd.get(asked)?.shift();
    if (next === 'hang') return;
    if (next === 'die') return request.socket.destroy();
    if (next === 'dieAfter') {
      // Only the end of the answer is lost.
      response.writeHead = ((): ServerResponse => response) as ServerResponse['writeHead'];
      response.end = ((): ServerResponse => response) as ServerResponse['end'];
      done[asked](request, response, body);
      return request.socket.destroy();
    }
    if (next !== undefined) return answer(response, next.status, next.body, next.headers);
    done[asked](request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const arm: Arm = armAt(url, signedIn, quick);

  return {
    url,
    arm,
    wouldChange: (...of: readonly Change[]) => {
      changes = of;
    },
    /** The stack as others left it. */
    stack: (mark: string, state: string) => {
      stack = { mark, state };
    },
    /** Looks at a stack say that it is under way, so many times. */
    pending: (times: number) => {
      pending = times;
    },
    /** Looks at a stack do not show what was begun, so many times. */
    lags: (times: number) => {
      lag = times;
    },
    endsAs: (state: string) => {
      ends = state;
    },
    /** What the next calls of one kind are answered, in order. */
    oddly: (asked: Asked, ...answers: readonly Odd[]) => odd.set(asked, [...answers]),
    applied: () => applied,
    shown: () => (stack === undefined ? [] : [stack]),
    /** `asked METHOD path`, in order. */
    calls: () => calls,
    kinds: () => calls.map((call) => call.split(' ')[0]),
    bodies: () => bodies,
    /** How many deployments were asked for. */
    created: () => calls.filter((call) => call.startsWith('create ')).length,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Sent = {
  readonly location?: string;
  readonly properties?: { readonly template?: unknown; readonly parameters?: unknown; readonly description?: string };
};

/** Only what the published management packages ask for, at the versions they ask with. */
function askedFor({ method, url = '' }: IncomingMessage): Asked | undefined {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  const version = searchParams.get('api-version');
  const at = '/subscriptions/[0-9a-f-]{36}/providers/Microsoft.Resources';
  if (method === 'GET' && /^\/subscriptions\/x\/operationresults\/\d+$/.test(pathname)) return 'result';
  if (
    method === 'POST' &&
    version === '2025-04-01' &&
    new RegExp(`^${at}/deployments/factory-dev/whatIf$`).test(pathname)
  )
    return 'whatIf';
  if (version !== '2024-03-01' || !new RegExp(`^${at}/deploymentStacks/factory-dev$`).test(pathname)) return undefined;
  return method === 'GET' ? 'stack' : method === 'PUT' ? 'create' : undefined;
}

function answer(response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
}
