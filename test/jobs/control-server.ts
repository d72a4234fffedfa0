import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type EffectEvent, type EffectState, effectMachine } from '../../shared/domain/effect/machine.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { newId } from '../../shared/domain/ids.ts';
import type { Outcome } from '../../shared/domain/job/outcome.ts';
import {
  type ArtifactKind,
  claimBody,
  completeBody,
  effectEventBody,
  failBody,
  intendBody,
  LEASE_HEADER,
  uploadBody,
} from '../../shared/jobs/protocol.ts';

/**
 * A control plane that keeps its jobs in memory and can be told to misbehave: lose an answer after doing the work, close the
 * socket before it, answer 503, be slow. The real plane does none of these on demand. Bodies are read by the protocol's own schemas.
 */
export type Fault = {
  readonly method?: string;
  readonly path: RegExp;
  /** `lose_answer`: the call is done and its answer never sent. `hang_up`: nothing is done. */
  readonly does:
    | 'lose_answer'
    | 'hang_up'
    | { readonly status: number; readonly code?: string; readonly retryAfter?: string }
    | { readonly delayMs: number };
  times: number;
};

export type TestJob = {
  readonly id: string;
  readonly request: string;
  readonly pool: string;
  readonly task: string;
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly parameters: Record<string, unknown>;
  readonly inputs: { name: string; kind: ArtifactKind; mediaType: string; digest: string; size: number }[];
  state: 'queued' | 'leased' | 'completed' | 'failed';
  epoch: number;
  token: string;
  claimId: string;
  expiresAt: number;
  renewals: number;
  releases: number;
  staleCalls: number;
  outcome?: Outcome;
  failure?: Failure;
  outputs: { name: string; kind: string; digest: string }[];
};

export type TestEffect = {
  id: string;
  key: string;
  kind: string;
  target: string;
  state: EffectState;
  actUntil: string;
  observed: string | null;
  history: string[];
};
type Pending = {
  readonly job: string;
  readonly digest: string;
  readonly size: number;
  bytes: Buffer;
  complete: boolean;
};

const EVENT: Record<string, EffectEvent> = {
  started: 'start',
  completed: 'complete',
  verified: 'verify',
  refuted: 'refute',
  failed: 'fail',
  uncertain: 'lose_sight',
  look_again: 'look_again',
};
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startControlServer() {
  const jobs = new Map<string, TestJob>();
  const effects = new Map<string, TestEffect>();
  const artifacts = new Map<string, Buffer>();
  const uploads = new Map<string, Pending>();
  const faults: Fault[] = [];
  const calls: string[] = [];
  const tokens = new Set<string>();
  const settings = {
    tokensIssued: 0,
    tokenSeconds: 3_600,
    tokensAreGood: true,
    actMs: 60_000,
    /** An earlier plane did not say whether the pool has more. */
    tellsMore: true,
    refuseIntend: null as { status: number; code: string; detail: string } | null,
  };

  const sendJson = (response: ServerResponse, status: number, body?: unknown): unknown => {
    if (body === undefined) return response.writeHead(status).end();
    return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const problem = (response: ServerResponse, status: number, code: string, detail = code): unknown => {
    return response
      .writeHead(status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ type: 'about:blank', title: code, status, code, detail }));
  };

  const answerClaim = (response: ServerResponse, job: TestJob): unknown =>
    sendJson(response, 200, {
      job: job.id,
      request: job.request,
      application: 'app_test',
      node: job.task,
      round: 0,
      attempt: job.epoch,
      pool: job.pool,
      task: job.task,
      station: null,
      line: 'patch',
      epoch: job.epoch,
      leaseToken: job.token,
      expiresAt: new Date(Date.now() + job.expiresAt - performance.now()).toISOString(),
      leaseMs: job.leaseMs,
      timeoutMs: job.timeoutMs,
      traceparent: null,
      inputs: job.inputs,
      parameters: job.parameters,
    });

  const claim = (response: ServerResponse, claimId: string, wanted: (job: TestJob) => boolean): unknown => {
    const now = performance.now();
    const held = [...jobs.values()].find(
      (job) => job.claimId === claimId && job.state === 'leased' && job.expiresAt > now,
    );
    if (held !== undefined) return answerClaim(response, held);
    const job = [...jobs.values()].find(
      (each) => wanted(each) && (each.state === 'queued' || (each.state === 'leased' && each.expiresAt <= now)),
    );
    if (job === undefined) return sendJson(response, 204);
    Object.assign(job, {
      state: 'leased',
      epoch: job.epoch + 1,
      token: `${job.epoch + 1}.${randomUUID()}`,
      claimId,
      expiresAt: now + job.leaseMs,
    });
    return answerClaim(response, job);
  };

  /** A call under a lease. The same completion repeated gets the first answer again, as the plane does. */
  const underLease = (job: TestJob, verb: string, request: IncomingMessage): boolean => {
    const sameToken = request.headers[LEASE_HEADER] === job.token;
    if (
      sameToken &&
      ((verb === 'complete' && job.state === 'completed') || (verb === 'fail' && job.state === 'failed'))
    )
      return true;
    if (sameToken && job.state === 'leased' && job.expiresAt > performance.now()) return true;
    job.staleCalls++;
    return false;
  };

  const effectAnswer = (effect: TestEffect) => ({
    id: effect.id,
    key: effect.key,
    state: effect.state,
    correlationMark: `mark-${effect.key}`,
    actUntil: effect.actUntil,
    observed: effect.observed,
  });

  const intend = (response: ServerResponse, job: TestJob, body: unknown): unknown => {
    const wanted = intendBody.parse(body);
    if (settings.refuseIntend !== null)
      return problem(response, settings.refuseIntend.status, settings.refuseIntend.code, settings.refuseIntend.detail);
    const key = `${job.request}/${wanted.ordinal}/${wanted.kind}`;
    let effect = effects.get(key);
    if (effect === undefined) {
      effect = {
        id: newId('effect', Date.now()),
        key,
        kind: wanted.kind,
        target: wanted.target,
        state: 'intended',
        actUntil: '',
        observed: null,
        history: ['intended'],
      };
      effects.set(key, effect);
    }
    effect.actUntil = new Date(Date.now() + settings.actMs).toISOString();
    return sendJson(response, 201, effectAnswer(effect));
  };

  const recordEffect = (response: ServerResponse, id: string, name: string, body: unknown): unknown => {
    const effect = [...effects.values()].find((each) => each.id === id);
    const event = EVENT[name];
    if (effect === undefined || event === undefined) return problem(response, 404, 'FACTORY-NOT-FOUND');
    const { observed } = effectEventBody.parse(body);
    if (effect.history.at(-1) !== name || effect.observed !== observed) {
      const next = effectMachine.table[effect.state][event];
      if (next === undefined) return problem(response, 409, 'FACTORY-WRONG-STATE', `${effect.state} has no ${event}`);
      Object.assign(effect, { state: next, observed });
      effect.history.push(name);
    }
    return sendJson(response, 200, effectAnswer(effect));
  };

  const upload = (response: ServerResponse, job: TestJob, body: unknown): unknown => {
    const wanted = uploadBody.parse(body);
    const known = [...uploads.entries()].find(([, each]) => each.job === job.id && each.digest === wanted.digest);
    const id = known?.[0] ?? newId('upload', Date.now());
    if (known === undefined)
      uploads.set(id, {
        job: job.id,
        digest: wanted.digest,
        size: wanted.size,
        bytes: Buffer.alloc(0),
        complete: false,
      });
    return sendJson(response, 201, { upload: id, offset: known?.[1].bytes.length ?? 0 });
  };

  const putChunk = (response: ServerResponse, pending: Pending, offset: number, chunk: Buffer): unknown => {
    if (offset !== pending.bytes.length) return problem(response, 409, 'FACTORY-UPLOAD-OFFSET');
    pending.bytes = Buffer.concat([pending.bytes, chunk]);
    if (pending.bytes.length === pending.size) {
      if (digestOf(pending.bytes) !== pending.digest) return problem(response, 422, 'FACTORY-DIGEST-MISMATCH');
      pending.complete = true;
      artifacts.set(pending.digest, pending.bytes);
    }
    return sendJson(response, 200, { offset: pending.bytes.length, complete: pending.complete });
  };

  const finish = (response: ServerResponse, job: TestJob, verb: 'complete' | 'fail', body: unknown): unknown => {
    if (job.state === 'leased') {
      const parsed = verb === 'complete' ? completeBody.parse(body) : failBody.parse(body);
      for (const { digest, inline } of parsed.outputs) {
        if (inline === undefined) continue;
        const bytes = Buffer.from(inline.content, 'base64');
        if (digestOf(bytes) !== digest) return problem(response, 422, 'FACTORY-DIGEST-MISMATCH');
        artifacts.set(digest, bytes);
      }
      const outputs = parsed.outputs.map(({ name, digest, kind }) => ({ name, digest, kind }));
      Object.assign(job, parsed, { state: verb === 'complete' ? 'completed' : 'failed', outputs });
    }
    const more = [...jobs.values()].some((each) => each.pool === job.pool && each.state === 'queued');
    return sendJson(response, 200, settings.tellsMore ? { more } : {});
  };

  const route = (request: IncomingMessage, response: ServerResponse, raw: Buffer): unknown => {
    const url = new URL(request.url ?? '/', 'http://control');
    const body: unknown =
      raw.length > 0 && request.headers['content-type'] === 'application/json' ? JSON.parse(raw.toString()) : undefined;
    if (url.pathname === '/token') {
      const form = new URLSearchParams(raw.toString());
      if (form.get('grant_type') !== 'client_credentials' || form.get('client_secret') !== 'secret-of-the-worker')
        return sendJson(response, 401, { error: 'invalid_client' });
      const token = `token-${++settings.tokensIssued}`;
      tokens.add(token);
      return sendJson(response, 200, { access_token: token, token_type: 'Bearer', expires_in: settings.tokenSeconds });
    }
    if (!tokens.has((request.headers.authorization ?? '').replace('Bearer ', '')))
      return problem(response, 401, 'FACTORY-UNAUTHENTICATED');
    const parts = url.pathname.replace('/api/v1/', '').split('/');
    if (parts[0] === 'pools') return claim(response, claimBody.parse(body).claimId, (job) => job.pool === parts[1]);
    const job = jobs.get(parts[1] ?? '');
    if (job === undefined) return problem(response, 404, 'FACTORY-NOT-FOUND');
    const verb = parts[2] ?? '';
    if (verb === 'claim') return claim(response, claimBody.parse(body).claimId, (each) => each.id === job.id);
    if (!underLease(job, verb, request)) return problem(response, 409, 'FACTORY-LEASE-LOST');
    if (verb === 'renew') {
      job.renewals++;
      job.expiresAt = performance.now() + job.leaseMs;
      return sendJson(response, 200, { expiresAt: new Date(Date.now() + job.leaseMs).toISOString() });
    }
    if (verb === 'complete' || verb === 'fail') return finish(response, job, verb, body);
    if (verb === 'release') {
      job.state = 'queued';
      job.releases++;
      return sendJson(response, 200, {});
    }
    if (verb === 'artifacts') {
      const bytes = artifacts.get(parts[3] ?? '');
      return bytes === undefined
        ? problem(response, 404, 'FACTORY-NOT-FOUND')
        : void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
    }
    if (verb === 'uploads' && parts[3] === undefined) return upload(response, job, body);
    const pending = uploads.get(parts[3] ?? '');
    if (verb === 'uploads' && pending !== undefined) {
      if (request.method === 'PUT') return putChunk(response, pending, Number(url.searchParams.get('offset')), raw);
      return sendJson(response, 200, { offset: pending.bytes.length, complete: pending.complete });
    }
    if (verb === 'effects' && parts[3] === undefined) return intend(response, job, body);
    if (verb === 'effects' && parts[4] !== undefined) return recordEffect(response, parts[3] ?? '', parts[4], body);
    return problem(response, 404, 'FACTORY-NOT-FOUND');
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      calls.push(`${request.method} ${path}`);
      const fault = faults.find(
        (each) => each.times > 0 && each.path.test(path) && (each.method ?? request.method) === request.method,
      );
      if (fault === undefined) return route(request, response, Buffer.concat(chunks));
      fault.times--;
      if (fault.does === 'hang_up') return request.socket.destroy();
      if (fault.does === 'lose_answer') {
        route(
          request,
          { writeHead: () => ({ end: () => undefined }) } as unknown as ServerResponse,
          Buffer.concat(chunks),
        );
        return request.socket.destroy();
      }
      if ('delayMs' in fault.does)
        return setTimeout(() => route(request, response, Buffer.concat(chunks)), fault.does.delayMs);
      if (fault.does.retryAfter !== undefined) response.setHeader('retry-after', fault.does.retryAfter);
      return problem(response, fault.does.status, fault.does.code ?? 'FACTORY-UNAVAILABLE');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    jobs,
    effects,
    artifacts,
    calls,
    faults,
    settings,
    /** Makes every token issued so far invalid, as a restarted issuer would. */
    forgetTokens: () => tokens.clear(),
    credential: { tokenEndpoint: `${url}/token`, clientId: 'worker', clientSecret: 'secret-of-the-worker' },
    enqueue(options: {
      pool: string;
      task: string;
      request?: string;
      leaseMs?: number;
      timeoutMs?: number;
      parameters?: Record<string, unknown>;
      inputs?: Record<string, { kind: ArtifactKind; bytes: Uint8Array | string }>;
    }): TestJob {
      const inputs = Object.entries(options.inputs ?? {}).map(([name, input]) => {
        const bytes = Buffer.from(input.bytes as Uint8Array);
        artifacts.set(digestOf(bytes), bytes);
        return {
          name,
          kind: input.kind,
          mediaType: 'application/octet-stream',
          digest: digestOf(bytes),
          size: bytes.length,
        };
      });
      const job: TestJob = {
        id: newId('job', Date.now()),
        request: options.request ?? newId('request', Date.now()),
        pool: options.pool,
        task: options.task,
        leaseMs: options.leaseMs ?? 5_000,
        timeoutMs: options.timeoutMs ?? 60_000,
        parameters: options.parameters ?? {},
        inputs,
        state: 'queued',
        epoch: 0,
        token: '',
        claimId: '',
        expiresAt: 0,
        renewals: 0,
        releases: 0,
        staleCalls: 0,
        outputs: [],
      };
      jobs.set(job.id, job);
      return job;
    },
    /** As if the lease had ended and somebody else held the job. */
    takeAway(job: TestJob): void {
      Object.assign(job, {
        epoch: job.epoch + 1,
        token: `${job.epoch + 1}.somebody-else`,
        claimId: 'somebody-else',
        expiresAt: performance.now() + job.leaseMs,
      });
    },
    hint: (job: TestJob) => ({
      body: { v: 1, job: job.id, pool: job.pool, request: job.request },
      messageId: newId('outbox', Date.now()),
      pool: job.pool,
    }),
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type ControlServer = Awaited<ReturnType<typeof startControlServer>>;
