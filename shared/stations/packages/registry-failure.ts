import type { Failure } from '../../domain/failure.ts';
import type { RegistryRefusal } from './registry.ts';

/** What a person can do about a refusal of a registry, an index or the package manager. */
const ADVICE: Readonly<Record<string, string>> = {
  'PACKAGES-UNRESOLVED':
    'Resolve the conflict in the manifests by hand (see docs/packages.md), or choose another range?',
  'PACKAGE-NOT-FOUND': 'Give the packages worker a registry that has it (FACTORY_NPM_REGISTRY), or take it out?',
  'PACKAGES-TOO-LARGE':
    'Make the update by hand and submit it as a patch, or take what is that large out of what the repository installs?',
  'PACKAGE-INTEGRITY':
    'Find out which of the two is right before anything is installed: what the repository names, or the registry?',
};

/** The failure that a refusal stands for: tried again where that may help, else a question. */
export function failureOfRegistry({ code, message, passing }: RegistryRefusal): Failure {
  if (passing) return { kind: 'retryable', class: 'transient_infra', code, message: message.slice(0, 2_000) };
  const advice = ADVICE[code] ?? 'Correct what is locked or the registry, and submit again?';
  return { kind: 'needs_human', code, question: `${message.slice(0, 1_500)}. ${advice}` };
}
