import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { readManagement } from '../../local/functions-host/admin/management-file.ts';
import { startBroker } from '../../local/service-bus/broker.ts';
import { credentialPath, issuerPath, readIssuerFile, writePrivateJson } from '../../shared/access/local/issuer-file.ts';
import { provisionLocalIdentities } from '../../shared/access/local/provision.ts';
import { POOLS } from '../../shared/domain/blueprint/schema.ts';
import { readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** An answer's JSON, looked into freely. */
export interface Json {
  readonly [key: string]: Json;
}
export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: Json };
export type CallOptions = {
  readonly as?: string;
  readonly token?: string;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer> | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The control role as people run it: the embedded broker, and the embedded host with the real app. */
export type ControlProcess = {
  readonly url: string;
  readonly dataDirectory: string;
  /** Of the host, whose child the app is. */
  readonly pid: number;
  /** Connection string of the broker that the hints go to. */
  readonly serviceBus: string;
  call(method: string, route: string, options?: CallOptions): Promise<Answer>;
  /** GET of the host's own API, with its key. */
  manage(route: string): Promise<Response>;
  token(identity: string): Promise<string>;
  errors(): string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const left = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of left) child.kill('SIGKILL');
});

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A second person who asks for work: what one requester owns is foreign to the other. */
async function addRequester(dataDirectory: string, url: string): Promise<void> {
  const issuer = await readIssuerFile(dataDirectory);
  const [like] = issuer?.clients.filter((client) => client.name === 'requester') ?? [];
  if (issuer === undefined || like === undefined) throw new Error('there are no local identities');
  const name = 'other-requester';
  const clientSecret = randomBytes(32).toString('base64url');
  const secretHash = createHash('sha256').update(clientSecret).digest('hex');
  await writePrivateJson(issuerPath(dataDirectory), {
    ...issuer,
    clients: [...issuer.clients, { ...like, clientId: name, name, oid: randomUUID(), secretHash }],
  });
  await writePrivateJson(credentialPath(dataDirectory, name), {
    name,
    tokenEndpoint: `${url}/identity/token`,
    clientId: name,
    clientSecret,
  });
}

/** `released`: the `plane` folder of a released data directory, which control is started on a copy of. */
export async function startControl(
  environment: Readonly<Record<string, string>> = {},
  released?: string,
): Promise<ControlProcess> {
  const directory = mkdtempSync(path.join(tmpdir(), 'control-'));
  const dataDirectory = path.join(directory, 'plane');
  if (released !== undefined) cpSync(released, dataDirectory, { recursive: true });
  const broker = await startBroker({
    port: 0,
    dataDirectory: path.join(directory, 'broker'),
    config: {
      UserConfig: { Namespaces: [{ Name: 'factory', Queues: POOLS.map((Name) => ({ Name, Properties: {} })) }] },
    },
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await provisionLocalIdentities(dataDirectory, { controlUrl: url });
  await addRequester(dataDirectory, url);
  const serviceBus = `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`;
  let errors = '';
  let child: ChildProcess;
  const tokens = new Map<string, string>();

  const start = async (): Promise<void> => {
    const main = path.join(root, 'local/functions-host/main.ts');
    child = spawn(
      process.execPath,
      [main, '--app', root, '--data', path.join(directory, 'host'), '--port', String(port)],
      {
        env: {
          ...process.env,
          FACTORY_ROLE: 'control',
          FACTORY_DATA: dataDirectory,
          FACTORY_IDENTITY: 'local',
          FACTORY_PUBLIC_URL: url,
          FACTORY_SERVICE_BUS: serviceBus,
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    left.add(child);
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    const deadline = performance.now() + 300_000;
    while (!output.includes('functions-host ready')) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline)
        throw new Error(`control did not start: ${errors}`);
      await setTimeout(20);
    }
  };
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    left.delete(child);
  };
  const token = async (identity: string): Promise<string> => {
    const known = tokens.get(identity);
    if (known !== undefined) return known;
    const credential = await readCredentialFile(credentialPath(dataDirectory, identity));
    const answer = await fetch(`${url}/identity/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: credential.clientId,
        client_secret: credential.clientSecret,
      }),
    });
    if (answer.status !== 200)
      throw new Error(`no token for ${identity}: ${answer.status} ${await answer.text()}\n${errors}`);
    const { access_token: issued } = (await answer.json()) as { access_token: string };
    tokens.set(identity, issued);
    return issued;
  };

  await start();
  return {
    url,
    dataDirectory,
    get pid() {
      return child.pid ?? 0;
    },
    serviceBus,
    token,
    errors: () => errors,
    async call(method, route, options = {}) {
      const bearer = options.token ?? (options.as === undefined ? undefined : await token(options.as));
      const headers: Record<string, string> = {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      };
      const body = options.json === undefined ? options.body : JSON.stringify(options.json);
      const answer = await fetch(
        `${url}${route.startsWith('/api/') || route.startsWith('/identity') ? route : `/api/v1${route}`}`,
        {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
        },
      );
      const text = await answer.text();
      const isJson =
        answer.status !== 206 &&
        /json/.test(answer.headers.get('content-type') ?? '') &&
        !/jsonl/.test(answer.headers.get('content-type') ?? '');
      return {
        status: answer.status,
        headers: answer.headers,
        text,
        json: (isJson && text !== '' ? JSON.parse(text) : undefined) as Json,
      };
    },
    manage(route) {
      const management = readManagement(path.join(directory, 'host'));
      return fetch(`${management.url}${route}`, { headers: { 'x-functions-key': management.key } });
    },
    kill: () => ended('SIGKILL'),
    async restart() {
      await ended('SIGKILL');
      await start();
    },
    async stop() {
      await ended('SIGTERM');
      await broker.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
