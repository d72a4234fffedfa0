import { join } from 'node:path';
import type { ApplicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { newHoldoutSet, withoutScenarios } from '../../shared/domain/application/holdouts.ts';
import type { Packet } from '../../shared/domain/packet/schema.ts';
import type { SandboxDriver } from '../../shared/sandbox/driver.ts';
import { bundleRepository } from '../../shared/sandbox/git/bundle.ts';
import { parseCommitId } from '../../shared/sandbox/git/object-id.ts';
import { stationHandlers } from '../../shared/stations/handlers.ts';
import { verifierHandlers } from '../../shared/verify/handlers.ts';
import type { Done, Jobs } from './job.ts';

export type Line = {
  readonly jobs: Jobs;
  readonly driver: SandboxDriver;
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  /** Bundle of the base, as the effector would have made it. */
  readonly source: string;
  readonly registry?: string;
  /** Of Python packages. */
  readonly index?: string;
  /** The plan of a deployment, as the effector would have looked it up. */
  readonly deployment?: Uint8Array;
  readonly parameters?: Readonly<Record<string, unknown>>;
};

let sources = 0;

export async function bundleSource(jobs: Jobs, repository: string, commit: string): Promise<string> {
  sources += 1;
  const file = join(jobs.directory, `source-${sources}.bundle`);
  await bundleRepository({ repository, commit: parseCommitId(commit), file });
  return file;
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const run = (
  line: Line,
  task: string,
  role: 'station' | 'verifier',
  inputs: Record<string, string | undefined>,
  signal?: AbortSignal,
): Promise<Done> => {
  const { jobs, driver, packet, declaration, source } = line;
  const handlers =
    role === 'station'
      ? stationHandlers({ driver, registry: line.registry ?? 'http://127.0.0.1:1/', pythonIndex: line.index })
      : verifierHandlers({ driver });
  const job = {
    task,
    station: packet.line.name,
    parameters: line.parameters ?? {},
    inputs: {
      packet: json(packet),
      declaration: json(withoutScenarios(declaration)),
      // As the plane does: the hidden scenarios are the input of one job.
      ...(task === 'validate' && declaration.scenarios.length > 0
        ? { holdouts: json(newHoldoutSet(declaration.scenarios)) }
        : {}),
      source,
      ...(line.deployment === undefined ? {} : { deployment: line.deployment }),
      ...inputs,
    },
  };
  return jobs.run(handlers[task], signal === undefined ? job : { ...job, signal });
};

const fetched = (packages: Done | undefined) => ({
  packages: packages?.outputs['packages'],
  environment: packages?.outputs['environment'],
});
export const fetchPackages = (line: Line, signal?: AbortSignal) => run(line, 'fetch-packages', 'station', {}, signal);
export const baseline = (line: Line, packages?: Done, signal?: AbortSignal) =>
  run(line, 'baseline', 'verifier', fetched(packages), signal);
export const plan = (line: Line, before: Done, packages?: Done) =>
  run(line, 'plan', 'station', { packages: packages?.outputs['packages'], baseline: before.outputs['receipt'] });
export const implement = (line: Line, planned: Done, packages?: Done) =>
  run(line, 'implement', 'station', { packages: packages?.outputs['packages'], plan: planned.outputs['plan'] });
export const validate = (
  line: Line,
  before: Done,
  change: { readonly outputs: Readonly<Record<string, string>> },
  packages?: Done,
) =>
  run(line, 'validate', 'verifier', {
    ...fetched(packages),
    baseline: before.outputs['receipt'],
    change: change.outputs['change'],
  });
