import type { Anchor } from '../audit/anchor/document.ts';
import { AuditRewound } from '../audit/anchor/rewound.ts';
import { type Anchoring, anchorRow, recordAnchors } from '../audit/anchor/take.ts';
import { declareRestore } from '../audit/restore/declare.ts';
import { declarationsBehind, type FoundRestore, findRestore } from '../audit/restore/find.ts';
import { newId, parseId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { type Command, one, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { insertAuditAnchor, lastAuditAnchor } from '../store/platform/anchors.ts';
import {
  doubtEffects,
  endLeasedAttempts,
  endLeases,
  hintQueuedJobs,
  lockPlane,
  openIncarnation,
  wakeRequests,
} from '../store/platform/restore.ts';
import { crossing } from '../telemetry/crash-point.ts';
import type { AnchorWatch } from './anchor.ts';
import type { RunCommand } from './run.ts';

export type RestoreParts = {
  readonly anchoring: Anchoring;
  readonly watch: AnchorWatch;
  /** Runs commands also while the plane takes none. */
  readonly run: RunCommand;
};

/** What an operator accepts: the newest anchor as they were shown it, so that nothing is accepted unseen. */
export type AcceptedRestore = { readonly sequence: number; readonly digest: string; readonly reason: string };

/**
 * Compares the database with every anchor there is; changes nothing. Refuses with 409 `FACTORY-ANCHORS-UNSOUND` when the anchors themselves can't
 * be believed: then no acceptance can say what was lost.
 */
export async function lookAtRestore({ anchoring }: Pick<RestoreParts, 'anchoring'>): Promise<FoundRestore> {
  try {
    return await findRestore(anchoring);
  } catch (error) {
    if (!(error instanceof AuditRewound)) throw error;
    throw new Refusal(
      409,
      'FACTORY-ANCHORS-UNSOUND',
      `${error.message.split(' The database was restored')[0]} What was lost can't be told from such anchors, and nothing can be accepted. Put back the anchors (and keys) as they were written.`,
    );
  }
}

/**
 * Lets a plane go on whose database is behind its anchors. First what each stream lost is declared outside the database, in signed anchors that
 * follow the last one; then one transaction opens their incarnation: every lease ends, effects that were begun are in doubt until looked at, every
 * queued job is hinted again, every open request is looked after by the next sweeps, and the audit names the anchor, the losses and who accepted.
 *
 * Answers the declarations. Accepting the same anchor again answers them again and changes nothing; a process that dies on the way leaves
 * declarations that the next acceptance takes over. Refuses with 409 `FACTORY-RESTORE-MOVED` when another anchor than the one named is the newest,
 * and `FACTORY-NOT-REWOUND` when the database has all that is sealed.
 */
export async function acceptRestore(
  parts: RestoreParts,
  actor: Actor,
  accepted: AcceptedRestore,
): Promise<readonly Anchor[]> {
  const { anchoring, watch } = parts;
  const found = await lookAtRestore(parts);
  const { last } = found;
  if (found.sound || last === undefined) {
    // Another process may have accepted it: this one then goes on at once.
    await watch.check();
    return await alreadyAccepted(parts, accepted);
  }
  if (last.statement.sequence !== accepted.sequence || last.payloadDigest !== accepted.digest)
    throw new Refusal(
      409,
      'FACTORY-RESTORE-MOVED',
      `The newest anchor is ${last.statement.sequence} (${last.payloadDigest}), and anchor ${accepted.sequence} was named. Look at what is missing again, then accept that.`,
    );
  const incarnation = newId('incarnation', anchoring.now());
  const { begun } = await declareRestore(anchoring, found, {
    acceptedBy: actor.principal,
    reason: accepted.reason,
    incarnation,
  });
  if (begun.length === 0) throw new Error('nothing is lost and nothing was declared, and the database is not sound');
  await recordAnchors(anchoring, last);
  await crossing('incarnation.open', () =>
    parts.run('restore.accept', (context) => openDeclared(context, actor, last, begun)),
  );
  await watch.check();
  watch.requireSound();
  return begun;
}

async function alreadyAccepted({ anchoring }: RestoreParts, accepted: AcceptedRestore): Promise<readonly Anchor[]> {
  const declarations = await declarationsBehind(anchoring, accepted);
  if (declarations.length > 0) return declarations;
  throw new Refusal(
    409,
    'FACTORY-NOT-REWOUND',
    'The database has everything that the anchors sealed: there is no restore to accept. The plane takes commands.',
  );
}

type Opened = Committed<string>;

function* openDeclared(
  context: PlaneContext,
  actor: Actor,
  last: Anchor,
  declarations: readonly Anchor[],
): Command<Opened | Unchanged<Opened>> {
  const [first] = declarations;
  if (first === undefined) throw new Error('an incarnation is opened by its declaration');
  const { incarnation, restore } = first.statement;
  const opened = parseId('incarnation', incarnation);
  if (opened === undefined) throw new Error(`${incarnation} is the id of no incarnation`);
  const row = yield* one(lockPlane({}));
  if (row === undefined) throw new Error('the row of the plane is gone');
  if (row.incarnation === incarnation) return unchanged({ answer: incarnation, outbox: [], touched: [] });
  const scope = openScope(context, row.now, actor);
  yield* writeOne(openIncarnation({ incarnation: opened }));
  const recorded = (yield* one(lastAuditAnchor({})))?.sequence ?? 0;
  for (const anchor of declarations)
    if (anchor.statement.sequence > recorded) yield* writeOne(insertAuditAnchor(anchorRow(anchor)));
  const requests = yield* write(wakeRequests({ look: LIMITS.effect.lookMs }));
  yield* write(endLeasedAttempts({}));
  const leases = yield* write(endLeases({}));
  const hints = yield* write(hintQueuedJobs({}));
  const effects = yield* write(
    doubtEffects({
      observed: `it was started in an incarnation that a restore ended; looked at again in ${incarnation}`,
    }),
  );
  const streams = declarations.reduce((sum, anchor) => sum + anchor.heads.length, 0);
  return yield* commit(
    scope,
    {
      stream: context.tenant,
      commandId: `${incarnation}:open`,
      action: 'plane.restore_accepted',
      subjects: {},
      digests: { anchor: last.payloadDigest, declaration: first.payloadDigest },
      values: {
        incarnation,
        of: row.incarnation,
        anchor: restore?.last ?? null,
        declaredBy: restore?.acceptedBy ?? null,
        reason: restore?.reason ?? null,
        streams,
        requests,
        leases,
        hints,
        effects,
      },
    },
    incarnation,
  );
}
