import { AuditRewound } from '../audit/anchor/rewound.ts';
import { type Anchoring, checkAnchors, takeAnchor } from '../audit/anchor/take.ts';
import { Refusal } from '../domain/refusal.ts';
import type { RunCommand } from './run.ts';

export type AnchorWatch = {
  /**
   * Compares the database with the anchors and adopts those it has not recorded. Run before the plane writes anything; a database that is
   * behind or beside an anchor stops the plane's commands and does not throw, so that people can still read.
   */
  check(): Promise<void>;
  /** Seals the audit heads that moved; one at a time. Answers the anchor's sequence, or undefined when nothing moved or the plane is stopped. */
  anchor(): Promise<number | undefined>;
  /** Refuses with 503 `FACTORY-AUDIT-REWOUND` once the database was found to be behind an anchor. Every command of the plane asks first. */
  requireSound(): void;
  /** What was found, once it was. */
  rewound(): AuditRewound | undefined;
};

/**
 * Watches that the audit streams only ever grow. What was sealed and is gone means a restore or a rewrite: effects have happened in the world
 * that the database does not know, so nothing may be commanded until an operator opens a new incarnation and the process starts again.
 */
export function createAnchorWatch(anchoring: Anchoring): AnchorWatch {
  let stopped: AuditRewound | undefined;
  let running: Promise<number | undefined> | undefined;

  /** Remembers that the database was rewound; any other error is the caller's. */
  const watch = async <T>(step: Promise<T>): Promise<T | undefined> => {
    try {
      return await step;
    } catch (error) {
      if (!(error instanceof AuditRewound)) throw error;
      stopped = error;
      return undefined;
    }
  };

  return {
    async check() {
      await watch(checkAnchors(anchoring));
    },
    anchor() {
      if (stopped !== undefined) return Promise.resolve(undefined);
      running ??= watch(takeAnchor(anchoring)).finally(() => {
        running = undefined;
      });
      return running;
    },
    requireSound() {
      if (stopped === undefined) return;
      throw new Refusal(503, stopped.code, `The plane takes no commands: ${stopped.message}`, {
        retryAfterSeconds: 300,
      });
    },
    rewound: () => stopped,
  };
}

/** A command runner that asks first whether the audit streams are sound. */
export function whileSound(watch: Pick<AnchorWatch, 'requireSound'>, run: RunCommand): RunCommand {
  return async (label, command) => {
    watch.requireSound();
    return await run(label, command);
  };
}
