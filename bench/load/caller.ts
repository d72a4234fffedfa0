import { credentialPath } from '../../shared/access/local/issuer-file.ts';
import { clientCredentialTokens, readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { httpExchange, readBody } from '../../shared/jobs/client/http-exchange.ts';
import type { Platform } from '../platform/platform.ts';

const TIME_LIMIT_MS = 60_000;
const ANSWER_BYTES = 4 * 1024 * 1024;

/** The HTTP API as one local identity sees it, over kept connections: the caller shares the machine with what it measures. */
export type Caller = {
  /** The JSON of a 2xx answer. @throws Error with what was answered in its place. */
  call<T>(method: 'GET' | 'POST', path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  close(): void;
};

export async function openCaller(platform: Platform, identity: string): Promise<Caller> {
  const credential = await readCredentialFile(credentialPath(platform.layout.plane, identity));
  const tokens = clientCredentialTokens(credential, elapsedClock());
  const exchange = httpExchange('http:');
  return {
    async call<T>(
      method: 'GET' | 'POST',
      path: string,
      body?: unknown,
      headers: Readonly<Record<string, string>> = {},
    ) {
      const answer = await exchange.send({
        method,
        url: new URL(`/api/v1${path}`, platform.url),
        headers: {
          ...headers,
          authorization: `Bearer ${await tokens.getToken()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        timeLimitMs: TIME_LIMIT_MS,
      });
      const text = (await readBody(answer, ANSWER_BYTES)).toString('utf8');
      const status = answer.statusCode ?? 0;
      if (status < 200 || status > 299)
        throw new Error(`${method} ${path} was answered ${status}: ${text.slice(0, 1_000)}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    close: exchange.close,
  };
}
