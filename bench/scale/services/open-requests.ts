import { LIMITS } from '../../../shared/domain/limits.ts';
import type { LineDemand } from '../demand/line.ts';
import { workOf } from '../demand/of-request.ts';
import { meanAround } from '../engine/chance.ts';
import type { ServiceModel } from './service-model.ts';

/** Seconds from a request's submission to its end when nothing queues: mostly people. */
export function residence(line: LineDemand): number {
  return line.stages.reduce((sum, stage) => {
    if (stage.kind === 'job') return sum + workOf(stage, line) / 1_000;
    return stage.kind === 'gate' ? sum + stage.share * meanAround(stage.minutes * 60, line.spread) : sum;
  }, 0);
}

/** An application with this many open requests is refused another. */
export const openRequests: ServiceModel = {
  name: 'open requests of an application',
  unit: 'requests',
  capacity: (_profile, { applications }) => LIMITS.request.openPerApplication * applications,
  demand: ({ line }) => residence(line),
  raises: [],
};
