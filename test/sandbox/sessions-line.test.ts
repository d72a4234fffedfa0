import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { layoutOf } from '../../cli/data/layout.ts';
import { credentialPath } from '../../shared/access/local/issuer-file.ts';
import { clientCredentialTokens, readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { POOLS_OF_ROLE } from '../../shared/jobs/protocol.ts';
import { factory, temporary, type Up, up } from '../cli/factory-process.ts';
import { commitFiles } from '../stations/repository.ts';
import { canStandIn, POOL_TOKEN, startSessionPool } from './session-pool.ts';

const data = temporary();
const place = temporary();
const clientId = '00000000-0000-4000-8000-000000000001';
const containerMain = join(import.meta.dirname, '../../container/main.ts');
let plane: Up | undefined;
afterAll(async () => {
  await plane?.end('SIGTERM');
  for (const directory of [data, place]) rmSync(directory, { recursive: true, force: true });
});

/** The endpoint of a managed identity: tokens for the plane are the plane's own, for the pool the one that it takes. */
async function identityOf(role: 'station' | 'verifier') {
  const credential = await readCredentialFile(credentialPath(layoutOf(data).plane, role));
  const tokens = clientCredentialTokens(credential, elapsedClock());
  const server = createServer((incoming, response) => {
    const resource = new URL(incoming.url ?? '/', 'http://identity').searchParams.get('resource') ?? '';
    const token = resource.startsWith('https://dynamicsessions.io') ? Promise.resolve(POOL_TOKEN) : tokens.getToken();
    void token.then((access_token) => {
      const expires_on = String(Math.floor(Date.now() / 1_000) + 3_600);
      const body = { access_token, expires_on, resource, token_type: 'Bearer' };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`, close: () => server.close() };
}

test.runIf(canStandIn)(
  'a patch goes to PR_READY with stations and verifier in containers, and every program in a session',
  async () => {
    const pool = await startSessionPool();
    plane = await up(data);
    const { processes, controlUrl } = plane.running();
    // In Azure there are no others: these two stay where they are, and claim nothing.
    const local = processes.filter(({ name }) => name === 'station' || name === 'verifier');
    for (const { pid } of local) process.kill(pid!, 'SIGSTOP');

    const identities = { station: await identityOf('station'), verifier: await identityOf('verifier') };
    const said: string[] = [];
    let over = false;
    /** What the scaler of container jobs does: starts a container for a pool, again and again. */
    const keepStarting = async (role: 'station' | 'verifier', poolName: string): Promise<void> => {
      while (!over) {
        const child = spawn(process.execPath, [containerMain], {
          env: {
            PATH: process.env['PATH'] ?? '',
            FACTORY_ROLE: role,
            FACTORY_POOL: poolName,
            FACTORY_CONTROL_URL: controlUrl,
            FACTORY_DATA: join(place, role),
            FACTORY_CONCURRENCY: '1',
            FACTORY_NPM_REGISTRY: 'https://registry.example.com/',
            FACTORY_SANDBOX: 'sessions',
            FACTORY_SESSION_POOL: pool.endpoint,
            FACTORY_AUDIENCE: clientId,
            AZURE_CLIENT_ID: clientId,
            IDENTITY_ENDPOINT: identities[role].endpoint,
            IDENTITY_HEADER: 'header',
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => said.push(String(chunk)));
        await once(child, 'exit');
        await pause(200);
      }
    };
    const pools = (['station', 'verifier'] as const).flatMap((role) =>
      POOLS_OF_ROLE[role].filter((name) => ['plan', 'build', 'verify'].includes(name)).map((name) => ({ role, name })),
    );
    const scaler = Promise.all(pools.map(({ role, name }) => keepStarting(role, name)));

    try {
      const repository = join(place, 'sessions.git');
      const commit = await commitFiles(repository, {
        'value.mjs': 'export const value = 1;\n',
        'check.mjs':
          "import { value } from './value.mjs';\nif (typeof value !== 'number' || process.env.FACTORY_SESSION_POOL) process.exitCode = 1;\n",
        'program.mjs':
          "import { createServer } from 'node:http';\nimport { value } from './value.mjs';\ncreateServer((_, response) => response.end(String(value))).listen(process.env.FACTORY_SOCKET);\n",
      });
      execFileSync('git', ['--git-dir', repository, 'update-ref', 'refs/heads/main', commit]);
      const ask =
        "import { get } from 'node:http';\nget({ socketPath: process.env.FACTORY_SOCKET, path: '/' }, (answer) => { let text = ''; answer.on('data', (d) => { text += d; }).on('end', () => { process.exitCode = text === '2' ? 0 : 1; }); });\n";
      const declaration = {
        apiVersion: 'factory/v1',
        kind: 'Application',
        name: 'sessions',
        repositories: [{ name: 'sessions', codeHost: 'local', location: repository }],
        checks: [{ name: 'value', kind: 'unit', command: ['node', 'check.mjs'] }],
        scenarios: [{ name: 'served', start: ['node', 'program.mjs'], script: ask }],
      };
      const packet = {
        apiVersion: 'factory/v1',
        kind: 'TaskPacket',
        goal: 'The value is two',
        intent: 'Programs run in sessions of a pool',
        source: { kind: 'person' },
        scope: { repository: 'sessions', allowedPaths: ['**'] },
        acceptance: [{ given: 'the program', when: 'it is asked', then: 'it answers two' }],
        reproduction: { none: 'There is nothing to reproduce.' },
        validation: { checks: ['value'] },
        line: {
          name: 'patch',
          patch: '--- a/value.mjs\n+++ b/value.mjs\n@@ -1 +1 @@\n-export const value = 1;\n+export const value = 2;\n',
        },
      };
      writeFileSync(join(place, 'application.json'), JSON.stringify(declaration));
      writeFileSync(join(place, 'packet.json'), JSON.stringify(packet));
      const ran = await factory([
        ...['--data', data, 'run', join(place, 'packet.json'), '--yes'],
        ...['--repository', repository, '--declaration', join(place, 'application.json')],
      ]);
      expect(ran.out, said.join('')).toContain('PR_READY');
      expect(ran.code).toBe(0);
      expect(pool.ended.length).toBeGreaterThan(4);
      expect(new Set(pool.ended).size).toBe(pool.ended.length);
      expect(said.join('')).not.toContain(POOL_TOKEN);
    } finally {
      over = true;
      await scaler;
      for (const { pid } of local) process.kill(pid!, 'SIGCONT');
      for (const identity of Object.values(identities)) identity.close();
      await pool.close();
    }
  },
  180_000,
);
