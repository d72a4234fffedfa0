import { notFound } from '../../../shared/domain/refusal.ts';
import { intendEffect } from '../../../shared/effects/ledger/intend.ts';
import { recordEffect } from '../../../shared/effects/ledger/record.ts';
import { EFFECT_EVENTS, effectAnswer, effectEventBody, intendBody } from '../../../shared/jobs/protocol.ts';
import { LEASE } from './jobs.ts';
import { ok, route } from './route.ts';

const EFFECTORS = { kind: 'worker', roles: ['effector'] } as const;

const intend = route({
  method: 'POST',
  path: '/jobs/{job}/effects',
  name: 'effects-intend',
  summary: 'Writes an effect as intended, right before it is performed: approval, policy and tree are checked here.',
  access: EFFECTORS,
  commits: true,
  headers: LEASE,
  body: intendBody,
  answers: { 201: effectAnswer },
  async handle(call) {
    const job = call.id('job', 'job');
    const token = call.leaseToken();
    return {
      status: 201,
      json: await call.plane.run('effect.intend', (context) =>
        intendEffect(context, call.actor, job, token, call.body),
      ),
    };
  },
});

const record = route({
  method: 'POST',
  path: '/jobs/{job}/effects/{effect}/{event}',
  name: 'effects-record',
  summary: `Records what happened to an effect: ${EFFECT_EVENTS.join(', ')}.`,
  access: EFFECTORS,
  commits: true,
  headers: LEASE,
  body: effectEventBody,
  answers: { 200: effectAnswer },
  async handle(call) {
    const job = call.id('job', 'job');
    const effect = call.id('effect', 'effect');
    const event = EFFECT_EVENTS.find((known) => known === call.parameter('event'));
    if (event === undefined)
      throw notFound(`The effect's event ${JSON.stringify(call.parameter('event').slice(0, 60))}`);
    const token = call.leaseToken();
    return ok(
      await call.plane.run('effect.record', (context) =>
        recordEffect(context, call.actor, job, token, { effect, event, observed: call.body.observed }),
      ),
    );
  },
});

export const jobEffectRoutes = [intend, record];
