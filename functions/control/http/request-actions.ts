import { z } from 'zod';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { Refusal } from '../../../shared/domain/refusal.ts';
import { type ParsedPacket, parsePacket } from '../../../shared/intake/packet.ts';
import type { Following } from '../../../shared/intake/submission-decision.ts';
import { submitPacket } from '../../../shared/intake/submit-packet.ts';
import { cancelRequest } from '../../../shared/line/cancel.ts';
import type { RequestRow } from '../../../shared/store/schema/rows.ts';
import { permittedRequest } from './request-access.ts';
import { idempotencyKey, KEY_HEADER, submitted, submittedAnswer, traceparentOf } from './request-submission.ts';
import { type Answer, type Call, route } from './route.ts';

const reason = z.string().trim().min(1).max(LIMITS.approval.reasonLength);

const cancel = route({
  method: 'POST',
  path: '/requests/{request}/cancel',
  name: 'requests-cancel',
  summary: 'Cancels a request: leases end, effects under way are looked at, then it is CANCELLED.',
  access: { kind: 'policy', action: 'cancelRequest', by: 'route' },
  commits: true,
  body: z.strictObject({ reason }),
  answers: { 202: z.object({ id: z.string(), state: z.string() }) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'cancelRequest');
    const cancelled = await call.plane.run('request.cancel', (context) =>
      cancelRequest(context, call.actor, row.id, call.body.reason),
    );
    return { status: 202, json: cancelled, headers: { location: `/api/v1/requests/${row.id}`, 'retry-after': '1' } };
  },
});

const retry = route({
  method: 'POST',
  path: '/requests/{request}/retry',
  name: 'requests-retry',
  summary: 'Submits the packet of an ended request again, as a new request with `retryOf`.',
  access: { kind: 'policy', action: 'retryRequest', by: 'route' },
  commits: true,
  headers: KEY_HEADER,
  body: z.strictObject({}),
  answers: { 202: submittedAnswer },
  async handle(call) {
    const key = idempotencyKey(call.headers);
    const { row } = await permittedRequest(call, 'retryRequest');
    if (row.state !== 'terminal')
      throw new Refusal(
        409,
        'FACTORY-WRONG-STATE',
        `Request ${row.id} is ${row.state}: only one that has ended can be retried. Wait for it, or cancel it.`,
      );
    return await again(call, { request: row.id, action: 'retryRequest' }, row, await packetOf(call, row), key);
  },
});

const answer = route({
  method: 'POST',
  path: '/requests/{request}/answers',
  name: 'requests-answer',
  summary:
    'Answers the question of a request that ended as ESCALATE, and submits its packet, or the one given, as a new request.',
  access: { kind: 'policy', action: 'answerRequest', by: 'route' },
  commits: true,
  headers: KEY_HEADER,
  body: z.strictObject({
    answer: z.string().trim().min(1).max(LIMITS.request.answerLength),
    packet: z.record(z.string(), z.unknown()).optional(),
  }),
  bodyBytes: LIMITS.http.packetBodyBytes,
  answers: { 202: submittedAnswer },
  async handle(call) {
    const key = idempotencyKey(call.headers);
    const { row } = await permittedRequest(call, 'answerRequest');
    const { body } = call;
    const parsed =
      body.packet === undefined
        ? await packetOf(call, row)
        : parsePacket(Buffer.from(JSON.stringify(body.packet)), 'application/json');
    return await again(call, { request: row.id, action: 'answerRequest', answer: body.answer }, row, parsed, key);
  },
});

async function packetOf(call: Call<unknown, unknown>, row: RequestRow): Promise<ParsedPacket> {
  return parsePacket(
    await call.plane.artifacts.bytes(row.packet_digest, LIMITS.packet.documentBytes * 2),
    'application/json',
  );
}

async function again(
  call: Call<unknown, unknown>,
  following: Following,
  row: RequestRow,
  parsed: ParsedPacket,
  key: string,
): Promise<Answer> {
  const { plane, actor } = call;
  // The same packet is still its requester's and stays in their session; another one is the caller's.
  const stays = parsed.digest === row.packet_digest || row.requested_by === actor.principal;
  return submitted(
    await submitPacket(plane, actor, {
      parsed,
      application: row.application_id,
      session: stays ? row.session_id : null,
      following,
      traceparent: traceparentOf(call.headers),
      idempotencyKey: key,
      route: `POST /requests/${row.id}`,
    }),
  );
}

export const requestActionRoutes = [cancel, retry, answer];
