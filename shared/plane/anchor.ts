import { AuditRewound } from '../audit/anchor/rewound.ts';
import { type Anchoring, checkAnchors, takeAnchor } from '../audit/anchor/take.ts';
import { Refusal } from '../domain/refusal.ts';
import type { RunCommand } from './run.ts';

export type AnchorWatch = {
  /**
   * Compares the database with the anchors and adopts those it has not recorded. Run before the plane writes anything, and after a restore was
   * accepted; a database that is behind or beside an anchor stops the plane's commands and does not throw, so that people can still read.
   */
  check(): Promise<void>;
  /** Seals the audit heads that moved; one at a time. Answers the anchor's sequence, or undefined when nothing moved or the plane is stopped. */
  anchor(): Promise<number | undefined>;
  /** Refuses with 503 `FACTORY-AUDIT-REWOUND` once the database was found to be behind an anchor. Every command of the plane asks first. */
  requireSound(): void;
  /** What was found, once it was. */
  rewound(): AuditRewound | undefined;
  /** The incarnation that the database was of when it was last asked: at every check and every anchor. */
  incarnation(): string;
};

/**
 * Watches that the audit streams only ever grow. What was sealed and is gone means a restore or a rewrite: effects have happened in the world
 * that the database does not know, so nothing may be commanded until an operator has accepted that and another incarnation is open. A plane that
 * was stopped by it looks with every anchor that is due whether that was done through another process.
 */
export function createAnchorWatch(anchoring: Anchoring): AnchorWatch {
  let stopped: AuditRewound | undefined;
  let running: Promise<number | undefined> | undefined;
  let incarnation = '';

  /** Remembers that the database was rewound; any other error is the caller's. */
  const watch = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      const value = await step();
      stopped = undefined;
      return value;
    } catch (error) {
      if (!(error instanceof AuditRewound)) throw error;
      stopped = error;
      return undefined;
    }
  };

  const seal = async (): Promise<number | undefined> => {
    const before = incarnation;
    incarnation = await anchoring.incarnation();
    if (stopped !== undefined && incarnation === before) return undefined;
    return await watch(() => takeAnchor(anchoring));
  };

  return {
    async check() {
      incarnation = await anchoring.incarnation();
      await watch(() => checkAnchors(anchoring));
    },
    anchor() {
      running ??= seal().finally(() => {
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
    incarnation: () => incarnation,
  };
}

/** A command runner that asks first whether the audit streams are sound. */
export function whileSound(watch: Pick<AnchorWatch, 'requireSound'>, run: RunCommand): RunCommand {
  return async (label, command) => {
    watch.requireSound();
    return await run(label, command);
  };
}
