import { wantedToolchains } from '../domain/application/check-environment.ts';
import { type MissingCause, WAY_OUT } from './endings/ending.ts';
import type { Bench } from './runs/bench.ts';

type Known = Pick<Bench, 'findings' | 'declaration'>;

/**
 * What a person can do about a run that did not take place. For a module that is missing it depends on where modules come from here: why
 * packages could not be had, or where the application has to name them.
 */
export function wayOut(cause: MissingCause, { findings, declaration }: Known): string {
  if (cause !== 'package') return WAY_OUT[cause];
  const lacking = findings.concerns().find(({ kind }) => kind === 'packages_missing');
  if (lacking !== undefined) return `Packages could not be had (${lacking.detail}): mend that first.`;
  const toolchains = wantedToolchains(declaration.environment).map(({ name }) => name);
  if (toolchains.includes('node') || toolchains.length === 0) return WAY_OUT.package;
  if (toolchains.includes('python'))
    return 'Name the files that ask for it under environment.setup.python of the application; its wheels are fetched before anything runs.';
  return 'Packages are fetched for npm and Python alone: commit this one (vendor), or declare a command that works without it.';
}
