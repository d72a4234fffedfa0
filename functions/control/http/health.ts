import { z } from 'zod';
import { PROGRAM } from '../../../shared/domain/program.ts';
import { Refusal } from '../../../shared/domain/refusal.ts';
import { write } from '../../../shared/store/command.ts';
import { touchPlane } from '../../../shared/store/platform/plane.ts';
import { ok, route } from './route.ts';

const CHECK_MS = 3_000;
/** Probes come from everywhere and often; the parts behind are looked at this often at most. */
const KEPT_MS = 2_000;

const because =
  'Probes of a platform have no identity; it says nothing but whether the plane works and which version it is.';

const health = route({
  method: 'GET',
  path: '/health',
  name: 'health',
  summary: 'Whether this process answers, and which version of the program it is.',
  access: { kind: 'public', because },
  answers: { 200: z.object({ status: z.literal('ok'), version: z.string() }) },
  handle: async () => ok({ status: 'ok', version: PROGRAM.version }),
});

/** `ok`, or in words why not. */
type Readiness = Readonly<Record<'store' | 'artifacts' | 'broker', string>>;
let kept: { readonly until: number; readonly readiness: Promise<Readiness> } | undefined;

const ready = route({
  method: 'GET',
  path: '/ready',
  name: 'ready',
  summary: 'Whether the store can be written, and the artifacts and the broker can be reached.',
  access: { kind: 'public', because },
  answers: { 200: z.object({ status: z.literal('ready') }), 503: z.object({ status: z.literal('not_ready') }) },
  async handle({ plane }) {
    if (kept === undefined || kept.until <= Date.now()) {
      const look = async (): Promise<Readiness> => ({
        store: await reached(plane.store.run('ready.store', () => write(touchPlane({})))),
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

async function reached(part: Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_MS);
  });
  return await Promise.race([part, limit])
    .then(
      () => 'ok',
      // A refusal is written for callers, and says what is the matter with the disk.
      (error: unknown) => (error instanceof Refusal ? error.message : 'unreachable'),
    )
    .finally(() => clearTimeout(timer));
}

export const healthRoutes = [health, ready];
