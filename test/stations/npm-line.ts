import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { planSchema } from '../../shared/stations/plan.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { type Done, type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, fetchPackages, implement, type Line, plan, validate } from './line.ts';
import { published } from './npm-project.ts';
import { type NpmRegistry, type PublishedPackage, startNpmRegistry } from './npm-registry.ts';
import { declarationOf, packetOf } from './packets.ts';
import { commitFiles, type Files } from './repository.ts';
import { driver } from './sandbox.ts';

export type LineOptions = {
  readonly prepare?: readonly string[];
  readonly checks?: readonly unknown[];
  /** The packet's line, or with no name what is other than in an update of `left`. */
  readonly line?: Readonly<Record<string, unknown>>;
};

/** What tests of lines on packages share: jobs, and a registry on loopback. */
export type NpmLine = {
  readonly jobs: Jobs;
  readonly registry: NpmRegistry;
  /** A line on a repository of these files. */
  lineFor(
    files: Files,
    options?: LineOptions,
  ): Promise<{ readonly line: Line; readonly repository: string; readonly commit: CommitId }>;
};

/** Opens them for the time of a test file's tests. */
export function useNpmLine(packages: readonly PublishedPackage[] = published): NpmLine {
  let opened: { readonly jobs: Jobs; readonly registry: NpmRegistry } | undefined;
  const use = () => {
    if (opened === undefined) throw new Error('jobs and registry are there while tests run');
    return opened;
  };
  beforeAll(async () => {
    opened = { jobs: openJobs(), registry: await startNpmRegistry(packages) };
  });
  afterAll(async () => {
    await use().registry.close();
    use().jobs.remove();
  });
  let repositories = 0;
  return {
    get jobs() {
      return use().jobs;
    },
    get registry() {
      return use().registry;
    },
    lineFor: async (files, { prepare = npmCi, checks = [], line = {} } = {}) => {
      const { jobs, registry } = use();
      repositories += 1;
      const repository = join(jobs.directory, `app-${repositories}.git`);
      const commit = await commitFiles(repository, files);
      const source = await bundleSource(jobs, repository, commit);
      const declaration = declarationOf({ prepare, checks });
      const packet = packetOf('name' in line ? line : { ...updateOfLeft, ...line });
      return { line: { jobs, driver, source, registry: registry.url, declaration, packet }, repository, commit };
    },
  };
}

const npmCi = ['npm', 'ci', '--offline', '--no-audit', '--no-fund'];
const updateOfLeft = { name: 'dependency-update', ecosystem: 'npm', package: 'left', range: '>=1.1 <2' };

/** All the way to the verdict. */
export async function ended(line: Line) {
  const packages = await fetchPackages(line);
  const before = await baseline(line, packages);
  const planned = await plan(line, before, packages);
  const change = await implement(line, planned, packages);
  return { packages, before, planned, change, judged: await validate(line, before, change, packages) };
}

export const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;
export const decisions = (planned: Done): readonly string[] => planSchema.parse(planned.json('plan')).decisions;
