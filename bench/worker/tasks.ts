import type { ArtifactKind } from '../../shared/jobs/protocol.ts';
import type { TaskHandler } from '../../shared/jobs/task.ts';

/** When a handler began, in the summary of its outcome: the only clock both sides share is the machine's. */
const STARTED = 'started at ';

const startedNow = (): string => `${STARTED}${(performance.timeOrigin + performance.now()).toFixed(3)}`;

/** Epoch milliseconds at which the handler of an outcome began; undefined for an outcome of another worker. */
export function startedAt(summary: string): number | undefined {
  const at = Number(summary.slice(STARTED.length));
  return summary.startsWith(STARTED) && Number.isFinite(at) ? at : undefined;
}

const noFacts = { paths: [], manifests: [], testPaths: [] };

/** Does nothing but put out one small artifact of its own, so that sealing, recording and evidence have their share. */
function idle(name: string, kind: ArtifactKind): TaskHandler {
  return async ({ claim, output }) => {
    const summary = startedNow();
    const bytes = JSON.stringify({ job: claim.job, name });
    const { digest } = await output({ name, kind, mediaType: 'application/json', bytes });
    // Nothing is said of the paths, which computes as medium risk: one approval, as most changes need.
    const facts = kind === 'receipt' ? { ...noFacts, claims: digest } : noFacts;
    return { outcome: { verdict: 'ok', summary, facts, unknowns: [] } };
  };
}

/** A job of a fan-out, of which there are a thousand: it puts out nothing. */
const empty: TaskHandler = async () => ({
  outcome: { verdict: 'ok', summary: startedNow(), facts: noFacts, unknowns: [] },
});

const build = idle('change', 'change_bundle');

export const BENCH_TASKS: Readonly<Record<string, TaskHandler>> = {
  'bench-plan': idle('plan', 'plan'),
  'bench-build': (context) => (context.claim.line === 'bench' ? build(context) : empty(context)),
  'bench-verify': idle('receipt', 'receipt'),
};
