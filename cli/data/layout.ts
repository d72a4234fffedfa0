import path from 'node:path';

/** The role processes of one machine, in the order in which they are of use to each other. */
export const PROCESSES = ['broker', 'control', 'station', 'verifier', 'effector'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/** Where everything of a plane on one machine is, below its data directory. */
export type Layout = {
  readonly root: string;
  /** What this directory is, and of which version. */
  readonly marker: string;
  /** Held by the supervisor for as long as it runs. */
  readonly lock: string;
  /** Who supervises it, and where it answers. */
  readonly running: string;
  /** Database, sealed artifacts, keys, anchors, local identities: control's own. */
  readonly plane: string;
  readonly brokerConfig: string;
  readonly broker: string;
  host(name: ProcessName): string;
  /** Workspaces of a worker's jobs. */
  work(name: ProcessName): string;
  readonly logs: string;
  log(name: ProcessName): string;
};

export function layoutOf(dataDirectory: string): Layout {
  const root = path.resolve(dataDirectory);
  const logs = path.join(root, 'logs');
  return {
    root,
    marker: path.join(root, 'factory.json'),
    lock: path.join(root, 'supervisor'),
    running: path.join(root, 'running.json'),
    plane: path.join(root, 'plane'),
    brokerConfig: path.join(root, 'broker.json'),
    broker: path.join(root, 'broker'),
    host: (name) => path.join(root, 'hosts', name),
    work: (name) => path.join(root, 'work', name),
    logs,
    log: (name) => path.join(logs, `${name}.log`),
  };
}
