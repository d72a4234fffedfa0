import { z } from 'zod';
import { anchorName } from '../../../shared/audit/anchor/anchor-store.ts';
import type { Anchor } from '../../../shared/audit/anchor/document.ts';
import type { Head } from '../../../shared/audit/anchor/merkle.ts';
import { type Call, ok, route } from './route.ts';

/** Streams that an answer lists; the rest are counted. The declaration itself names them all. */
const LISTED = 100;

const anchor = z.object({ sequence: z.int(), name: z.string(), digest: z.string() });
const losses = z.object({
  streams: z.array(
    z.object({
      stream: z.string(),
      keptTo: z.int(),
      lostFrom: z.int(),
      lostTo: z.int(),
      replaced: z.boolean().optional(),
    }),
  ),
  more: z.int(),
});
type Lost = Head & { readonly lostTo?: number | undefined; readonly replaced?: boolean };

const anchorView = ({ statement, payloadDigest }: Anchor): z.infer<typeof anchor> => ({
  sequence: statement.sequence,
  name: anchorName(statement.sequence),
  digest: payloadDigest,
});

function lossesView(lost: readonly Lost[]): z.infer<typeof losses> {
  const streams = lost.slice(0, LISTED).map(({ stream, seq, lostTo, replaced }) => ({
    stream,
    keptTo: seq,
    lostFrom: seq + 1,
    lostTo: lostTo ?? seq,
    ...(replaced === true ? { replaced } : {}),
  }));
  return { streams, more: lost.length - streams.length };
}

const permitted = (call: Call): Promise<void> =>
  call.permit('acceptRestore', null, { id: call.plane.tenant, tenant: call.plane.tenant }, 'the plane');

const status = route({
  method: 'GET',
  path: '/restore',
  name: 'restore-status',
  summary:
    'Whether the database has everything that the audit anchors sealed; if not, what is missing, by stream, and the anchor to accept.',
  access: { kind: 'policy', action: 'acceptRestore', by: 'route' },
  answers: {
    200: z.object({
      sound: z.boolean(),
      incarnation: z.string(),
      anchor: anchor.optional(),
      begun: z.string().optional().describe('incarnation that somebody began to open'),
      missing: losses.optional(),
    }),
  },
  async handle(call) {
    await permitted(call);
    const found = await call.plane.lookAtRestore();
    const { current: incarnation, last, begun } = found;
    const opening = begun.at(-1)?.statement.incarnation;
    return ok({
      sound: found.sound,
      incarnation,
      ...(last === undefined ? {} : { anchor: anchorView(last) }),
      ...(opening === undefined ? {} : { begun: opening }),
      ...(found.sound ? {} : { missing: lossesView([...begun.flatMap(({ heads }) => heads), ...found.losses]) }),
    });
  },
});

const body = z.strictObject({
  anchor: z.strictObject({ sequence: z.int().min(1), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
  reason: z.string().trim().min(1).max(256),
});

const accept = route<z.infer<typeof body>>({
  method: 'POST',
  path: '/restore/accept',
  name: 'restore-accept',
  summary:
    'Accepts that the database was restored and is behind the anchor named (the newest, as `GET /restore` shows it), declares what was lost and opens a new incarnation. Repeated, it answers the same.',
  access: { kind: 'policy', action: 'acceptRestore', by: 'route' },
  commits: true,
  body,
  answers: {
    200: z.object({
      incarnation: z.string(),
      of: z.string(),
      declaration: anchor,
      at: z.iso.datetime(),
      acceptedBy: z.string(),
      reason: z.string(),
      lost: losses,
    }),
  },
  async handle(call) {
    await permitted(call as Call);
    const { anchor: named, reason } = call.body;
    const declarations = await call.plane.acceptRestore(call.actor, { ...named, reason });
    const [first] = declarations;
    const restore = first?.statement.restore;
    if (first === undefined || restore === undefined)
      throw new Error('a restore was accepted and nothing was declared');
    return ok({
      incarnation: first.statement.incarnation,
      of: restore.of,
      declaration: anchorView(first),
      at: first.statement.at,
      acceptedBy: restore.acceptedBy,
      reason: restore.reason,
      lost: lossesView(declarations.flatMap(({ heads }) => heads)),
    });
  },
});

export const restoreRoutes = [status, accept];
