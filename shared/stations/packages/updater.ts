import type { RunTools } from '../../sandbox/driver.ts';
import type { Lock, LockedPackage } from './locked.ts';
import type { Wanted } from './manifest-edits.ts';
import type { Registry } from './registry.ts';
import type { Resolver } from './resolver.ts';

/** Copies that have to be resolved anew, and the keys of packages that hold some of them and may move as well. */
export type Renewal = {
  readonly lock: Lock;
  readonly copies: readonly LockedPackage[];
  readonly holders: readonly string[];
  /** Versions that the update may go to. */
  readonly inside: ReadonlyMap<string, readonly string[]>;
};

/** How one package manager makes a lockfile; what an update is, is the same for all. */
export type Updater = {
  readonly program: 'npm' | 'pnpm' | 'yarn';
  /** Name and version for evidence; undefined where the sandbox has it beside its Node. */
  readonly release: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
  readonly tools: RunTools | undefined;
  /** What it reads beside manifests and lockfile. */
  readonly files: ReadonlyMap<string, string>;
  /** What its cache is begun with, by path below it. */
  readonly cached: ReadonlyMap<string, string>;
  /** It would leave a registry's choice to the order of versions, so it is told only of those that it may take. */
  readonly isTold: boolean;
  /** A specifier is first written as a pin, and then as it stays: it keeps what a pin has chosen. */
  readonly pins: boolean;
  /** Makes the lockfile fit the manifests. */
  readonly install: readonly [string, ...string[]];
  /** Has copies resolved anew within what is asked for, by a command or by preparing the lockfile for `install`. */
  renewal(resolver: Resolver, renewal: Renewal): Promise<readonly [string, ...string[]]>;
  /** A lockfile's text with what it moved without need put back, for `install` to complete; undefined where there is nothing of it. */
  leastMoves?(before: string, after: string, wanted: Wanted): string | undefined;
  /** A lockfile as it was read, with the ranges that it does not hold itself. */
  completed(lock: Lock, registry: Registry, copies: readonly LockedPackage[]): Promise<Lock>;
};
