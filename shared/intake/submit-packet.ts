import type { Artifacts } from '../artifacts/artifacts.ts';
import { canonicalJson, type Digest } from '../domain/digest.ts';
import type { ApplicationId, PrincipalId, SessionId } from '../domain/ids.ts';
import type { Packet } from '../domain/packet/schema.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { type Actor, DocumentNotLoaded, type PlaneContext } from '../line/context.ts';
import type { DocumentCache } from '../plane/documents.ts';
import type { RunCommand } from '../plane/run.ts';
import { readApplication } from '../store/applications/applications.ts';
import { one, unchanged } from '../store/command.ts';
import { findIdempotencyKey } from '../store/delivery/idempotency.ts';
import type { ApplicationRow } from '../store/schema/rows.ts';
import { readSession } from '../store/sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import type { ParsedPacket } from './packet.ts';
import { decideSubmission, type Following } from './submission-decision.ts';
import { type Submission, type Submitted, submitRequest } from './submit.ts';
import { validatePacket } from './validate-packet.ts';

export type PacketSubmission = {
  readonly parsed: ParsedPacket;
  readonly application: ApplicationId;
  readonly session: SessionId | null;
  readonly following: Following | null;
  readonly traceparent: string | null;
  readonly idempotencyKey: string;
  readonly route: string;
};
export type SubmitParts = {
  readonly store: Store;
  readonly run: RunCommand;
  readonly artifacts: Artifacts;
  readonly documents: DocumentCache;
  readonly context: PlaneContext;
};

/** How often a packet is checked anew because the application's declaration or definitions changed meanwhile. */
const TRIES = 3;
const TITLE_LENGTH = 200;

/**
 * Takes a parsed packet as a request: checks it against the application's declaration and installed line, keeps it as an
 * artifact, and commits the request. Refuses as `validatePacket` and `submitRequest` do, with 404 for an application or session
 * that is not there or not the caller's, and with 409 `FACTORY-NOT-INSTALLED` where no definitions are installed.
 */
export async function submitPacket(parts: SubmitParts, actor: Actor, input: PacketSubmission): Promise<Submitted> {
  const { store, run, artifacts, context } = parts;
  const { packet, digest } = input.parsed;
  for (let attempt = 1; ; attempt += 1) {
    const { application, declaration, definitions } = await installed(parts, actor, input);
    try {
      await check(parts, packet, declaration, definitions);
    } catch (error) {
      // A call repeated later must get its first answer, though the packet would be refused by now (its deadline has passed, say).
      if (!(error instanceof Refusal) || !(await isRepeated(parts, actor, input))) throw error;
    }
    if ((await artifacts.stat(digest)) === undefined) {
      await artifacts.put(Buffer.from(canonicalJson(packet)), { mediaType: 'application/json', kind: 'packet' });
    }
    const submission: Submission = {
      session: input.session,
      application: application.id,
      packet: digest,
      declaration,
      definitions,
      title: packet.goal.slice(0, TITLE_LENGTH),
      line: packet.line.name,
      priority: packet.priority,
      deadlineAt: packet.deadline === undefined ? null : Date.parse(packet.deadline),
      following: input.following,
      traceparent: input.traceparent,
      idempotencyKey: input.idempotencyKey,
      route: input.route,
    };
    try {
      return await run('request.submit', (planeContext) => submitRequest(planeContext, actor, submission));
    } catch (error) {
      const changed = error instanceof Refusal && error.code === 'FACTORY-DEFINITIONS-CHANGED';
      if (!changed || attempt >= TRIES) throw error;
    }
  }

  /** Looked at before anything is kept, so that who may not submit can't fill the store either. The command decides again. */
  async function installed(
    { documents }: SubmitParts,
    who: Actor,
    asked: PacketSubmission,
  ): Promise<{ application: ApplicationRow; declaration: Digest; definitions: Digest }> {
    const { tenant } = context;
    const application = await loading(documents, () =>
      store.read('submit.application', function* () {
        const found = yield* one(readApplication({ tenant, application: asked.application }));
        if (found === undefined) throw notFound(`Application ${asked.application}`);
        const { requestedBy } = yield* decideSubmission(context, who, Date.now(), found, { ...asked, packet: digest });
        const session =
          asked.session === null ? undefined : yield* one(readSession({ tenant, session: asked.session }));
        if (asked.session !== null && session?.principal_id !== requestedBy) throw notFound(`Session ${asked.session}`);
        return found;
      }),
    );
    if (application.definitions_digest === null) {
      throw new Refusal(
        409,
        'FACTORY-NOT-INSTALLED',
        `Application ${application.name} has no definitions installed, so it has no product lines. Plan an installation and have it approved.`,
      );
    }
    return { application, declaration: application.declaration_digest, definitions: application.definitions_digest };
  }
}

/** Whether this key has an answer already: the command then gives that, or refuses other content under it. */
async function isRepeated({ store, context }: SubmitParts, actor: Actor, input: PacketSubmission): Promise<boolean> {
  const key = {
    tenant_id: context.tenant,
    principal_id: actor.principal as PrincipalId,
    route: input.route,
    idempotency_key: input.idempotencyKey,
  };
  return await store.run('submit.repeated', function* () {
    return unchanged((yield* one(findIdempotencyKey(key))) !== undefined);
  });
}

async function check(
  { documents }: SubmitParts,
  packet: Packet,
  declaration: Digest,
  definitions: Digest,
): Promise<void> {
  await loading(documents, async () => {
    const { lines } = documents.documents.definitions(definitions);
    validatePacket(packet, {
      declaration: documents.documents.declaration(declaration),
      line: lines.get(packet.line.name)?.graph.line,
      knownLines: [...lines.keys()],
      now: Date.now(),
    });
  });
}

/** Runs what needs documents in memory, loading those that it misses. */
async function loading<T>(documents: DocumentCache, use: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await use();
    } catch (error) {
      if (!(error instanceof DocumentNotLoaded)) throw error;
      await documents.load(error);
    }
  }
}
