import { credentialPath } from '../../shared/access/local/issuer-file.ts';
import { LOCAL_IDENTITIES } from '../../shared/access/local/provision.ts';
import { clientCredentialTokens, readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { PlaneProblem, PlaneUnreachable } from '../../shared/jobs/client/plane-problem.ts';
import { existingDataDirectory } from '../data/data-directory.ts';
import { CommandFailure, messageOf } from '../failure.ts';
import { plainText } from '../output/terminal.ts';
import { ApiProblem, problemFrom } from './api-problem.ts';

/** Longer than the longest wait of a \`Prefer: wait\`. */
const TIME_LIMIT_MS = 60_000;

export type ApiCall = {
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, with its media type. */
  readonly body?: { readonly bytes: Uint8Array | string; readonly mediaType: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/** The HTTP API as one local identity sees it. */
export type PlaneApi = {
  readonly identity: string;
  readonly controlUrl: string;
  /** A current access token. */
  token(): Promise<string>;
  /** The JSON of a 2xx answer. @throws ApiProblem for every other answer, CommandFailure when nobody answers. */
  call(method: 'GET' | 'POST' | 'PUT', path: string, call?: ApiCall): Promise<unknown>;
  /** The whole answer of a 2xx, its body unread; 304 counts as one. */
  fetch(method: 'GET' | 'POST' | 'PUT', path: string, call?: ApiCall): Promise<Response>;
};

/** The plane of a data directory, by the credential file of one of its local identities. */
export async function openPlaneApi(of: { readonly data: string; readonly as: string }): Promise<PlaneApi> {
  const layout = existingDataDirectory(of.data);
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(of.as))
    throw new CommandFailure(`--as ${of.as} is no name of a local identity.`, 2);
  const file = credentialPath(layout.plane, of.as);
  const credential = await readCredentialFile(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new CommandFailure(messageOf(error));
    const known = Object.keys(LOCAL_IDENTITIES).join(', ');
    throw new CommandFailure(
      `There is no local identity "${of.as}" in ${layout.root}. Those of a new plane are ${known}.`,
    );
  });
  const controlUrl = new URL(credential.tokenEndpoint).origin;
  const tokens = clientCredentialTokens(credential, elapsedClock());

  async function send(method: string, path: string, call: ApiCall): Promise<Response> {
    const url = new URL(`/api/v1${path}`, controlUrl);
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value);
    const body = call.json === undefined ? call.body?.bytes : JSON.stringify(call.json);
    const mediaType = call.json === undefined ? call.body?.mediaType : 'application/json';
    const limit = AbortSignal.timeout(TIME_LIMIT_MS);
    return await fetch(url, {
      method,
      headers: {
        ...call.headers,
        authorization: `Bearer ${await tokens.getToken()}`,
        ...(mediaType === undefined ? {} : { 'content-type': mediaType }),
      },
      ...(body === undefined ? {} : { body: body as string }),
      signal: call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]),
    });
  }

  const fetched: PlaneApi['fetch'] = async (method, path, call = {}) => {
    const answer = await send(method, path, call).catch((error: unknown) => {
      if (call.signal?.aborted === true) throw error;
      throw unreachable(error, controlUrl, of.data);
    });
    if (answer.ok || answer.status === 304) return answer;
    throw await problemFrom(answer, `${method} ${path}`);
  };
  return {
    identity: of.as,
    controlUrl,
    token: () => tokens.getToken().catch((error: unknown) => Promise.reject(unreachable(error, controlUrl, of.data))),
    fetch: fetched,
    async call(method, path, call) {
      const answer = await fetched(method, path, call);
      const text = await answer.text();
      if (text === '') return undefined;
      try {
        return JSON.parse(text);
      } catch {
        throw new CommandFailure(
          `${controlUrl} answered ${method} ${path} with something that is no JSON: ${plainText(text.slice(0, 200))}`,
        );
      }
    },
  };
}

function unreachable(error: unknown, controlUrl: string, data: string): unknown {
  if (error instanceof ApiProblem) return error;
  if (error instanceof PlaneProblem && error.status === 503)
    return new CommandFailure(
      `The plane at ${controlUrl} is still starting, or is overloaded. Call again in a moment; "factory status" says when it is ready.`,
    );
  const refused = error instanceof PlaneUnreachable || error instanceof TypeError || isSystemError(error);
  if (refused || (error instanceof Error && error.name === 'TimeoutError'))
    return new CommandFailure(
      `Nothing answers at ${controlUrl}, where the plane of ${data} should be. Start it with "factory up --data ${data}", or see "factory status".`,
    );
  return error instanceof Error ? new CommandFailure(messageOf(error)) : error;
}

const isSystemError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code);
