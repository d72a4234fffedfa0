import * as df from 'durable-functions';
import { LIMITS } from '../../../shared/domain/limits.ts';

/** `wakeAt`: until when nothing was due as the aggregate was committed; the first turn waits for that without asking. */
type Input = { readonly id: string; readonly run: number; readonly wakeAt?: number };
type Supervision = { readonly over: boolean; readonly wakeAt: number; readonly phase: string };

/**
 * Registers the durable supervisor of one run of an aggregate. It decides nothing: it waits for a nudge or the next deadline,
 * has its activity commit what became due, and ends when the aggregate or its run is over. Replay costs grow with a history's
 * length, so it is cut off after some turns and continued. Events carry no data, so a lost,
 * doubled or forged one is harmless. The custom status is the phase as of its last turn, for Azure Portal.
 */
export function registerSupervisor(name: string, activity: string): void {
  df.app.orchestration(name, function* (context) {
    const { wakeAt, ...input }: Input = context.df.getInput<Input>();
    let armed = wakeAt;
    for (let turn = 0; turn < LIMITS.orchestrator.turns; turn += 1) {
      if (armed === undefined) {
        const supervision: Supervision = yield context.df.callActivity(activity, input);
        context.df.setCustomStatus(supervision.phase);
        if (supervision.over) return supervision.phase;
        armed = supervision.wakeAt;
      }
      const nudge = context.df.waitForExternalEvent('nudge');
      const deadline = context.df.createTimer(new Date(armed));
      armed = undefined;
      const winner: df.Task = yield context.df.Task.any([nudge, deadline]);
      if (winner !== deadline) deadline.cancel();
    }
    context.df.continueAsNew(input);
    return undefined;
  });
}
