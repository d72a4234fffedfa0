import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { ElapsedClock } from './elapsed-clock.ts';
import { httpExchange, readBody } from './http-exchange.ts';
import { PlaneProblem } from './plane-problem.ts';
import { cachedTokens, type IssuedToken, type TokenSource } from './token-source.ts';

/** The one secret of a local identity: a file only its owner may read (mode 0600). */
export const credentialFile = z.object({
  tokenEndpoint: z.url({ protocol: /^https?$/ }),
  clientId: z.string().min(1).max(200),
  clientSecret: z.string().min(1).max(1_000),
  scope: z.string().min(1).max(500).optional(),
});
export type CredentialFile = z.infer<typeof credentialFile>;

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

const TIME_LIMIT_MS = 5_000;
const ANSWER_BYTES = 64 * 1024;
const FILE_BYTES = 64 * 1024;
const DEFAULT_SCOPE = 'agent-factory/.default';

/**
 * Reads a credential file and refuses one that others may read.
 *
 * @throws Error that names the file and what to do; it never carries the secret.
 */
export async function readCredentialFile(path: string): Promise<CredentialFile> {
  const file = await open(path, 'r');
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new Error(
        `The credential file ${path} may be read by others (mode ${(mode & 0o777).toString(8)}). Make it the owner's alone: chmod 600 ${path}`,
      );
    }
    if (size > FILE_BYTES)
      throw new Error(
        `The credential file ${path} is ${size} bytes long; a credential is far smaller. Is it the right file?`,
      );
    const parsed = credentialFile.safeParse(asJson(await file.readFile('utf8')));
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new Error(
      `The credential file ${path} is not one: it needs tokenEndpoint, clientId and clientSecret as JSON (at fault: ${faults || 'not JSON'}).`,
    );
  } finally {
    await file.close();
  }
}

/** Access tokens by the client credentials grant (RFC 6749 §4.4), client authenticated in the body (§2.3.1). */
export function clientCredentialTokens(credential: CredentialFile, now: ElapsedClock): TokenSource {
  const url = new URL(credential.tokenEndpoint);
  const exchange = httpExchange(url.protocol);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: credential.clientId,
    client_secret: credential.clientSecret,
    scope: credential.scope ?? DEFAULT_SCOPE,
  });

  const issue = async (): Promise<IssuedToken> => {
    const answer = await exchange.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      timeLimitMs: TIME_LIMIT_MS,
    });
    const body = asJson((await readBody(answer, ANSWER_BYTES)).toString('utf8'));
    if (answer.statusCode !== 200) {
      const reason = z.object({ error: z.string() }).safeParse(body).data?.error;
      const words =
        reason === undefined
          ? `${url.href} answered ${answer.statusCode} and no token to client ${credential.clientId}. A plane that is still starting does so: wait until it is ready. Otherwise check that this is the issuer's address.`
          : `The issuer at ${url.origin} refused a token to client ${credential.clientId}: ${reason.slice(0, 200)}. Check that the identity exists and its credential file is the current one.`;
      throw new PlaneProblem(answer.statusCode ?? 0, 'FACTORY-TOKEN-REFUSED', words);
    }
    const issued = tokenAnswer.parse(body);
    return { accessToken: issued.access_token, expiresInSeconds: issued.expires_in };
  };

  return cachedTokens(issue, now);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
