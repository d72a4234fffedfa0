import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import type { HoldoutSet } from '../../domain/application/holdouts.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import type { TaskContext } from '../../jobs/task.ts';
import type { SandboxDriver, SandboxIdentity } from '../../sandbox/driver.ts';
import type { OpenedToolchains } from '../../sandbox/toolchains/open-toolchains.ts';
import type { PackageCache, PackageFiles } from '../../stations/packages/package-cache.ts';
import type { FetchedEnvironment } from '../../stations/python/environment-archive.ts';
import type { Findings } from '../findings.ts';
import type { PreparedTrees } from './checkout.ts';
import type { Recorder } from './recorder.ts';

/** What every run of the verifier shares within one job. */
export type Bench = {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly sandbox: SandboxIdentity;
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  /** The hidden scenarios; only the job that runs them is given any. */
  readonly holdouts: { readonly digest: Digest; readonly set: HoldoutSet } | null;
  readonly recorder: Recorder;
  /** What the application's environment adds to every program of the repository. */
  readonly toolchains: OpenedToolchains;
  /** The packages that were fetched for it, where it asks for any. */
  readonly environment: FetchedEnvironment | null;
  readonly findings: Findings;
  /** Trees that were prepared for this job, each once. */
  readonly prepared: PreparedTrees;
  /** Directory of the opened package cache, when the job has one. */
  readonly packages: string | null;
  /** What is told of them: what could not be had, and why; null without any. */
  readonly supply: PackageCache | null;
  /** Manifests and lockfile of a dependency update, as the packages job computed them: what installs of the change were made from. */
  readonly resolved: PackageFiles | null;
  /** Whether the prepare command may fail (packages are missing, and it failed on the base as well), and whether it did. */
  readonly preparation: { mayFail: boolean; failed: boolean };
};
