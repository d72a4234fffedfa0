import { credentialPath } from '../../shared/access/local/issuer-file.ts';
import { LOCAL_IDENTITIES } from '../../shared/access/local/provision.ts';
import { clientCredentialTokens, readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { existingDataDirectory } from '../data/data-directory.ts';
import { CommandFailure, messageOf } from '../failure.ts';
import { plainText } from '../output/terminal.ts';
import { isSupervised } from '../supervision/running-file.ts';
import { ApiProblem, problemFrom } from './api-problem.ts';
import { patiently, silenceOf } from './patience.ts';

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
  /**
   * The JSON of a 2xx answer. While the plane runs and does not answer, a call that is safe to repeat is.
   * @throws ApiProblem for every other answer, CommandFailure when nobody answers.
   */
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

  /** One exchange, its body `read`, repeated while a plane that runs does not answer. */
  async function exchange<T>(
    method: string,
    path: string,
    call: ApiCall,
    read: (answer: Response) => Promise<T>,
  ): Promise<T> {
    const once = async (): Promise<T> => {
      const answer = await send(method, path, call);
      if (answer.ok || answer.status === 304) return await read(answer);
      throw await problemFrom(answer, `${method} ${path}`);
    };
    const keyed = Object.keys(call.headers ?? {}).some((name) => name.toLowerCase() === 'idempotency-key');
    try {
      return await patiently(once, { repeatable: method === 'GET' || keyed, runs, signal: call.signal });
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      throw inWords(error, `${method} ${path}`);
    }
  }

  const runs = (): boolean => isSupervised(layout);
  const inWords = (error: unknown, what: string): unknown =>
    unanswered(error, { what, controlUrl, data: of.data, runs: runs() });

  return {
    identity: of.as,
    controlUrl,
    token: () =>
      patiently(() => tokens.getToken(), { repeatable: true, runs }).catch((error: unknown) =>
        Promise.reject(inWords(error, 'the call for a token')),
      ),
    fetch: (method, path, call = {}) => exchange(method, path, call, async (answer) => answer),
    async call(method, path, call = {}) {
      const text = await exchange(method, path, call, (answer) => answer.text());
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

function unanswered(
  error: unknown,
  of: { readonly what: string; readonly controlUrl: string; readonly data: string; readonly runs: boolean },
): unknown {
  if (error instanceof ApiProblem) return error;
  const silence = silenceOf(error);
  if (silence === 'not_ready')
    return new CommandFailure(
      `The plane at ${of.controlUrl} is still starting, or is overloaded. Call again in a moment; "factory status" says when it is ready.`,
    );
  if (silence !== undefined && !of.runs)
    return new CommandFailure(
      `Nothing answers at ${of.controlUrl}, where the plane of ${of.data} should be. Start it with "factory up --data ${of.data}", or see "factory status".`,
    );
  if (silence === 'refused')
    return new CommandFailure(
      `The plane of ${of.data} runs, but nothing listens at ${of.controlUrl}: its control does not start again. "factory status" names its log.`,
    );
  if (silence === 'lost')
    return new CommandFailure(
      `The plane of ${of.data} runs, but gave ${of.what} no whole answer (${messageOf(error)}), and may have acted on it: look before you repeat it. "factory status" says how the plane does.`,
    );
  return error instanceof Error ? new CommandFailure(messageOf(error)) : error;
}
