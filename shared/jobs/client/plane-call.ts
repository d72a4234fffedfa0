import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { LIMITS } from '../../domain/limits.ts';
import type { SpanContext } from '../../telemetry/span-context.ts';
import { traced, traceparentOf } from '../../telemetry/spans.ts';
import { LEASE_HEADER } from '../protocol.ts';
import type { ElapsedClock } from './elapsed-clock.ts';
import { httpExchange, readBody } from './http-exchange.ts';
import { PlaneProblem } from './plane-problem.ts';
import { type RetryBounds, withRetries } from './retry.ts';
import type { TokenSource } from './token-source.ts';

/** The lease under which a call is made. */
export type LeaseProof = { readonly job: string; readonly leaseToken: string; readonly traceparent: string | null };

export type PlaneRequest = {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/api/v1`, starting with a slash; its parts already encoded. */
  readonly path: string;
  readonly lease?: LeaseProof;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
};

/** Calls to the control plane: identity, lease header, retries, problems. Every call of the job protocol is safe to repeat. */
export type PlaneCalls = {
  readonly now: ElapsedClock;
  /** Answers the status and the parsed JSON body, or undefined for 204. */
  json(request: PlaneRequest, bounds: RetryBounds): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Hands a successful answer to `read`; a failure while reading repeats the call like any other. */
  stream<T>(request: PlaneRequest, bounds: RetryBounds, read: (answer: IncomingMessage) => Promise<T>): Promise<T>;
  close(): void;
};

export type PlaneCallOptions = {
  /** Origin of the control plane, e.g. `http://127.0.0.1:7071`; a path in it is kept before `/api/v1`. */
  readonly controlUrl: string;
  readonly tokens: TokenSource;
  readonly now: ElapsedClock;
  readonly timeLimitMs?: number | undefined;
};

/** A single answer slower than this is given up and asked for again. */
const TIME_LIMIT_MS = 10_000;
const problemDocument = z.object({
  code: z.string().max(128),
  detail: z.string().optional(),
  title: z.string().optional(),
});

export function planeCalls(options: PlaneCallOptions): PlaneCalls {
  const base = new URL(options.controlUrl);
  const prefix = `${base.pathname.replace(/\/+$/, '')}/api/v1`;
  const exchange = httpExchange(base.protocol);
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS;

  const sendOnce = async (
    request: PlaneRequest,
    span: SpanContext | undefined,
    signal: AbortSignal | undefined,
    mayRefresh: boolean,
  ): Promise<IncomingMessage> => {
    const token = await options.tokens.getToken();
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      accept: 'application/json, application/octet-stream',
    };
    if (request.lease !== undefined) {
      headers[LEASE_HEADER] = request.lease.leaseToken;
      const traceparent = span === undefined ? request.lease.traceparent : traceparentOf(span);
      if (traceparent !== null && !isRenewal(request)) headers['traceparent'] = traceparent;
    }
    if (request.json !== undefined) headers['content-type'] = 'application/json';
    if (request.bytes !== undefined) headers['content-type'] = 'application/octet-stream';
    const body = request.json === undefined ? request.bytes : JSON.stringify(request.json);
    const answer = await exchange.send({
      method: request.method,
      url: new URL(prefix + request.path, base),
      headers,
      body,
      timeLimitMs,
      signal,
    });
    if (answer.statusCode !== 401 || !mayRefresh) return answer;
    answer.resume();
    options.tokens.reject(token);
    return sendOnce(request, span, signal, false);
  };

  const stream = <T>(
    request: PlaneRequest,
    bounds: RetryBounds,
    read: (answer: IncomingMessage) => Promise<T>,
  ): Promise<T> =>
    spanned(request, base, (span) =>
      withRetries(`${request.method} ${request.path}`, bounds, options.now, async () => {
        const answer = await sendOnce(request, span, bounds.signal, true);
        try {
          const status = answer.statusCode ?? 0;
          if (status < 200 || status > 299) throw await readProblem(request, answer);
          return await read(answer);
        } finally {
          if (!answer.readableEnded) answer.destroy();
        }
      }),
    );

  return {
    now: options.now,
    stream,
    json: (request, bounds) =>
      stream(request, bounds, async (answer) => {
        const text = (await readBody(answer, LIMITS.http.jsonBodyBytes)).toString('utf8');
        return { status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) };
      }),
    close: exchange.close,
  };
}

/** Renewals are many and say nothing of the work: they are no spans, here and in control. */
const isRenewal = ({ path }: PlaneRequest): boolean => path.endsWith('/renew');

/** A call made for a job, with all its tries, as a span (HTTP client spans of OpenTelemetry's semantic conventions). */
function spanned<T>(request: PlaneRequest, base: URL, call: (span: SpanContext | undefined) => Promise<T>): Promise<T> {
  if (request.lease === undefined || isRenewal(request)) return call(undefined);
  const template = `/api/v1${request.path.replace(/\?.*$/, '').replace(/(?<=\/)[^/]*(_|:|%3A)[^/]*/g, '{id}')}`;
  return traced(
    {
      name: `${request.method} ${template}`,
      kind: 'client',
      attributes: {
        'http.request.method': request.method,
        'url.template': template,
        'server.address': base.hostname,
        'server.port': Number(base.port) || (base.protocol === 'https:' ? 443 : 80),
      },
    },
    call,
  );
}

async function readProblem(request: PlaneRequest, answer: IncomingMessage): Promise<PlaneProblem> {
  const status = answer.statusCode ?? 0;
  const text = (await readBody(answer, LIMITS.artifact.inlineBytes)).toString('utf8');
  const problem = problemDocument.safeParse(parsedOrUndefined(text)).data;
  const code = problem?.code ?? `HTTP-${status}`;
  const message =
    problem?.detail ??
    problem?.title ??
    `the control plane answered ${status} to ${request.method} ${request.path} without saying why`;
  return new PlaneProblem(status, code, message.slice(0, 2_000), retryAfterMs(answer.headers['retry-after']));
}

/** `Retry-After` as seconds or as an HTTP date (RFC 9110 §10.2.3), in milliseconds from now. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
