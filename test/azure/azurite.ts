import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AzureNamedKeyCredential, TableClient } from '@azure/data-tables';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';

/** The emulator's published account: no secret, and good for nothing else. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const SERVICES = ['Blob', 'Queue', 'Table'] as const;

export type Emulator = {
  /** A container that was just made. */
  container(name: string): Promise<ContainerClient>;
  /** A table that was just made. */
  table(name: string): Promise<TableClient>;
  /** A container and a table behind an address where nothing answers. */
  stop(): Promise<void>;
  nowhere(): { container: ContainerClient; table: TableClient };
};

/** Starts the storage emulator on free loopback ports. */
export async function startAzurite(): Promise<Emulator> {
  const directory = await mkdtemp(join(tmpdir(), 'factory-azurite-'));
  const script = fileURLToPath(import.meta.resolve('azurite/dist/src/azurite.js'));
  const ports = SERVICES.flatMap((service) => [`--${service.toLowerCase()}Port`, '0']);
  const child = spawn(
    process.execPath,
    [script, '--location', directory, '--skipApiVersionCheck', '--loose', '--silent', '--disableTelemetry', ...ports],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const addresses = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, service, address] =
      /^Azurite (\w+) service (?:is )?successfully listen\w* (?:at|on) (\S+)$/.exec(line) ?? [];
    if (service !== undefined && address !== undefined) addresses.set(service, address);
    if (SERVICES.every((name) => addresses.has(name))) break;
  }
  child.stdout.resume();
  const addressOf = (service: string): string => {
    const address = addresses.get(service);
    if (address === undefined) throw new Error(`azurite ended before its ${service} service listened`);
    return `${address}/${ACCOUNT}`;
  };
  const blobKey = new StorageSharedKeyCredential(ACCOUNT, KEY);
  const tableKey = new AzureNamedKeyCredential(ACCOUNT, KEY);
  const local = { allowInsecureConnection: true, retryOptions: { maxRetries: 1, retryDelayInMs: 1 } };
  return {
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
    async container(name) {
      const made = new ContainerClient(`${addressOf('Blob')}/${name}`, blobKey, { retryOptions: { maxTries: 2 } });
      await made.create();
      return made;
    },
    async table(name) {
      const made = new TableClient(addressOf('Table'), name, tableKey, local);
      await made.createTable();
      return made;
    },
    nowhere: () => ({
      container: new ContainerClient(`http://127.0.0.1:1/${ACCOUNT}/none`, blobKey, { retryOptions: { maxTries: 1 } }),
      table: new TableClient(`http://127.0.0.1:1/${ACCOUNT}`, 'none', tableKey, {
        ...local,
        retryOptions: { maxRetries: 0 },
      }),
    }),
  };
}
