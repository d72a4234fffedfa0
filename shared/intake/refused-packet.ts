import { createAsk } from '../access/permit.ts';
import { digestOfBytes } from '../domain/digest.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { readApplication } from '../store/applications/applications.ts';
import { type Command, one } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import type { SubmitParts } from './submit-packet.ts';

/** Statuses of a refusal that is about the packet itself: too large, of an unknown type, or wrong in its content. */
const ABOUT_THE_PACKET: readonly number[] = [413, 415, 422];

/**
 * Runs a submission; when the packet is refused, the refusal is all that is recorded: an audit event with the digest of the
 * bytes that came and the codes of its faults. Only for callers who may submit, so that nobody else can fill the audit.
 */
export async function withRefusalOnRecord<T>(
  parts: Pick<SubmitParts, 'store' | 'run' | 'context' | 'documents'>,
  actor: Actor,
  packet: { readonly application: ApplicationId; readonly bytes: Uint8Array },
  submit: () => Promise<T>,
): Promise<T> {
  try {
    return await submit();
  } catch (error) {
    if (
      error instanceof Refusal &&
      ABOUT_THE_PACKET.includes(error.status) &&
      (await maySubmit(parts, actor, packet.application))
    ) {
      await parts.run('packet.refused', (context) => recordRefusal(context, actor, packet, error));
    }
    throw error;
  }
}

async function maySubmit(
  { store, context, documents }: Pick<SubmitParts, 'store' | 'context' | 'documents'>,
  actor: Actor,
  id: ApplicationId,
): Promise<boolean> {
  const { tenant } = context;
  const application = await store.read('refusal.application', () => one(readApplication({ tenant, application: id })));
  if (application === undefined) return false;
  const ask = createAsk(context, documents);
  return (await ask(application.definitions_digest, actor, 'submitRequest', { id, tenant })).allow;
}

function* recordRefusal(
  context: PlaneContext,
  actor: Actor,
  packet: { readonly application: ApplicationId; readonly bytes: Uint8Array },
  refusal: Refusal,
): Command<Committed<void>> {
  const now = yield* databaseTime();
  const codes = [...new Set(refusal.details.map((detail) => detail.code))].join(' ');
  return yield* commit(
    openScope(context, now, actor),
    {
      stream: packet.application,
      commandId: `${context.newId('request', now)}:refuse`,
      action: 'request.refused',
      subjects: { application: packet.application },
      digests: { bytes: digestOfBytes(packet.bytes) },
      values: { code: refusal.code, faults: refusal.details.length, codes },
    },
    undefined,
  );
}
