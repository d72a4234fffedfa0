import { z } from 'zod';
import { one } from '../../../shared/store/command.ts';
import { readPlane } from '../../../shared/store/platform/plane.ts';
import { ok, route } from './route.ts';

const CHECK_MS = 3_000;
/** Probes come from everywhere and often; the parts behind are looked at this often at most. */
const KEPT_MS = 2_000;

const because = 'Probes of a platform have no identity; it says nothing but whether the plane works.';

const health = route({
  method: 'GET',
  path: '/health',
  name: 'health',
  summary: 'Whether this process answers.',
  access: { kind: 'public', because },
  answers: { 200: z.object({ status: z.literal('ok') }) },
  handle: async () => ok({ status: 'ok' }),
});

type Readiness = Readonly<Record<'store' | 'artifacts' | 'broker', 'ok' | 'unreachable'>>;
let kept: { readonly until: number; readonly readiness: Promise<Readiness> } | undefined;

const ready = route({
  method: 'GET',
  path: '/ready',
  name: 'ready',
  summary: 'Whether the store, the artifacts and the broker can be reached.',
  access: { kind: 'public', because },
  answers: { 200: z.object({ status: z.literal('ready') }), 503: z.object({ status: z.literal('not_ready') }) },
  async handle({ plane }) {
    if (kept === undefined || kept.until <= Date.now()) {
      const look = async (): Promise<Readiness> => ({
        store: await reached(plane.store.read('ready.store', () => one(readPlane({})))),
        artifacts: await reached(plane.artifacts.bytes(plane.context.baseline)),
        broker: await reached(plane.hints.check()),
      });
      kept = { until: Date.now() + KEPT_MS, readiness: look() };
    }
    const parts = await kept.readiness;
    const all = Object.values(parts).every((part) => part === 'ok');
    return {
      status: all ? 200 : 503,
      json: { status: all ? 'ready' : 'not_ready', ...parts },
      headers: all ? {} : { 'retry-after': '2' },
    };
  },
});

async function reached(part: Promise<unknown>): Promise<'ok' | 'unreachable'> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_MS);
  });
  return await Promise.race([part, limit])
    .then(
      () => 'ok' as const,
      () => 'unreachable' as const,
    )
    .finally(() => clearTimeout(timer));
}

export const healthRoutes = [health, ready];
