import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly sqlite: string;
  readonly packages: Readonly<Record<string, string>>;
  /** Of the last minute, as the run begins: figures of a loaded machine are to be read as ratios only. */
  readonly load: number;
};

const PACKAGES = ['@azure/functions', 'durable-functions', '@azure/service-bus', '@cedar-policy/cedar-wasm', 'kysely'];

export function describeMachine(): Machine {
  const processors = cpus();
  const manifest = createRequire(import.meta.url)('../../package.json') as { dependencies: Record<string, string> };
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: kernelVersion(),
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    packages: Object.fromEntries(PACKAGES.map((name) => [name, manifest.dependencies[name] ?? 'none'])),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export function inWords(machine: Machine): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, load ${machine.load} at the start`,
    `Node ${machine.node}, SQLite ${machine.sqlite}, ${packages.join(', ')}`,
  ].join('\n');
}

function kernelVersion(): string {
  try {
    return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  } catch {
    return process.platform;
  }
}
