import { takeOutScenarios } from '../../shared/applications/holdouts/take-out.ts';
import { Refusal } from '../../shared/domain/refusal.ts';

/** Whether scenarios have been taken out of every declaration that a former release kept, and the step that does it. */
export type Hiding = {
  hide(): Promise<void>;
  /** Refuses with 503 `FACTORY-HOLDOUTS-PENDING` to hand out something of these kinds while a declaration among them may still hold scenarios. */
  guard(kinds: readonly string[]): void;
};

/**
 * The step waits while the database is behind its anchors, since a newer copy of it may be put in place yet, which still needs the old bytes. Nobody is
 * given a declaration until it has run.
 */
export function createHiding(parts: Parameters<typeof takeOutScenarios>[0]): Hiding {
  let done = false;
  return {
    async hide() {
      if (done) return;
      await takeOutScenarios(parts);
      done = true;
    },
    guard(kinds) {
      if (done || !kinds.includes('declaration')) return;
      throw new Refusal(
        503,
        'FACTORY-HOLDOUTS-PENDING',
        'Hidden scenarios may still be in this declaration, and are taken out of it once the restored database is accepted. See "factory restore status"; then call again.',
      );
    },
  };
}
