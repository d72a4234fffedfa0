import type { RequestState } from './machine.ts';

export type Phase =
  | 'accepted'
  | 'fetching'
  | 'checking_the_base'
  | 'planning'
  | 'awaiting_approval'
  | 'implementing'
  | 'validating'
  | 'delivering'
  | 'concluding'
  | 'cancelling'
  | 'done';

const PHASE_OF_POOL: Readonly<Record<string, Phase>> = {
  fetch: 'fetching',
  packages: 'fetching',
  plan: 'planning',
  review: 'planning',
  build: 'implementing',
  effect: 'delivering',
};

/** What a person sees: derived from the open nodes, never stored as truth. */
export function phaseOf(
  state: RequestState,
  open: readonly { readonly kind: string; readonly name: string; readonly pool: string | null }[],
): Phase {
  if (state === 'terminal') return 'done';
  if (state === 'accepted' || state === 'concluding' || state === 'cancelling') return state;
  if (open.some((node) => node.kind === 'gate')) return 'awaiting_approval';
  const job = open.find((node) => node.pool !== null);
  if (job?.pool === 'verify') return job.name === 'baseline' ? 'checking_the_base' : 'validating';
  return (
    (job?.pool && PHASE_OF_POOL[job.pool]) || (open.some((node) => node.kind === 'seal') ? 'delivering' : 'planning')
  );
}
