import type { CheckEnvironment, ToolchainName } from '../../../shared/domain/application/check-environment.ts';
import type { Check } from '../../../shared/domain/application/declaration.ts';
import type { Tree } from './tree.ts';

export type FoundCheck = Pick<Check, 'name' | 'kind' | 'command' | 'report' | 'timeoutSeconds'> & {
  /** Why this command, for the person who edits the declaration. */
  readonly because: string;
};

/** What one ecosystem's detector found of a repository. */
export type Finding = {
  readonly toolchains: readonly ToolchainName[];
  readonly checks: readonly FoundCheck[];
  readonly prepare?: readonly [string, ...string[]];
  readonly variables?: Readonly<Record<string, string>>;
  readonly setup?: NonNullable<CheckEnvironment['setup']>;
  /** What was looked for and is not there, or can't be used: whole sentences, with what to do. */
  readonly missing: readonly string[];
};

/** What this machine has, as far as it decides what can be declared. */
export type Machine = {
  hasToolchain(name: ToolchainName): boolean;
  /** Whether its Python, and which of it, can import a module without any package being fetched. */
  hasPythonModule(name: string): boolean;
  /** Whether NuGet's folder of packages on this machine holds one in this version. */
  hasNugetPackage(name: string, version: string): boolean;
};

export type Detector = (tree: Tree, machine: Machine) => Finding | undefined;

export const unitCheck = (
  command: readonly [string, ...string[]],
  because: string,
  more: { readonly report?: Check['report']; readonly timeoutSeconds?: number; readonly name?: string } = {},
): FoundCheck => ({
  name: more.name ?? 'unit',
  kind: 'unit',
  command: [...command],
  report: more.report ?? 'none',
  timeoutSeconds: more.timeoutSeconds ?? 300,
  because,
});

/** The program can't be had here, so that nothing is declared that could not run. */
export const lacking = (name: ToolchainName, what: string): Finding => ({
  toolchains: [],
  checks: [],
  missing: [`${what}, but this machine has no ${name}: install it and register again.`],
});
