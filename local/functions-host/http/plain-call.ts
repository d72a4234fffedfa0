import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionDescription } from '../app/function-description.ts';
import type { CookieData, HttpResponseData, TypedData } from '../app/typed-data.ts';
import type { Invoke } from '../invoke.ts';
import { readBody } from './answer.ts';
import type { RequestValues } from './request-data.ts';
import { toNullable } from './request-data.ts';

/** Serves a request with its bodies held whole, for apps that did not turn HTTP streams on. */
export async function callPlain(
  invoke: Invoke,
  description: FunctionDescription,
  request: IncomingMessage,
  response: ServerResponse,
  values: RequestValues,
  bodyLimit: number,
): Promise<void> {
  const body = await readBody(request, bodyLimit);
  const data = {
    http: {
      method: request.method ?? 'GET',
      url: values.url.href,
      nullableHeaders: toNullable(values.headers),
      nullableQuery: toNullable(values.query),
      nullableParams: toNullable(values.parameters),
      ...(body.length === 0 ? {} : { body: { bytes: body } }),
    },
  };
  const { returnValue } = await invoke(description, { data });
  const answer = returnValue?.http;
  if (!isResponse(answer)) {
    response.writeHead(204).end();
    return;
  }
  for (const cookie of answer.cookies ?? []) response.appendHeader('set-cookie', formatCookie(cookie));
  const status = Number(answer.statusCode);
  const content = bodyOf(answer);
  // RFC 9110 §8.6: none with 204; with HEAD and 304 it would have to be that of the answer to a GET.
  const length = request.method === 'HEAD' || status === 204 || status === 304 ? {} : lengthOf(content);
  response.writeHead(status, { ...length, ...answer.headers });
  response.end(content);
}

/** The same field carries a request on its way in; only an answer has a status. */
function isResponse(http: TypedData['http']): http is HttpResponseData {
  return http !== undefined && 'statusCode' in http;
}

function bodyOf(answer: HttpResponseData): Uint8Array | string | undefined {
  return answer.body?.bytes ?? answer.body?.string ?? undefined;
}

function lengthOf(body: Uint8Array | string | undefined): Record<string, number> {
  return { 'content-length': body === undefined ? 0 : Buffer.byteLength(body) };
}

const sameSiteNames = new Map([
  ['strict', 'Strict'],
  ['lax', 'Lax'],
  ['explicitnone', 'None'],
]);

/** A Set-Cookie value (RFC 6265 §4.1.1). */
function formatCookie(cookie: CookieData): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.maxAge !== undefined) parts.push(`Max-Age=${Math.floor(cookie.maxAge.value)}`);
  if (cookie.domain !== undefined) parts.push(`Domain=${cookie.domain.value}`);
  parts.push(`Path=${cookie.path?.value ?? '/'}`);
  const expires = cookie.expires?.value;
  if (expires !== undefined) {
    parts.push(`Expires=${(expires instanceof Date ? expires : new Date(expires.seconds * 1000)).toUTCString()}`);
  }
  if (cookie.httpOnly?.value === true) parts.push('HttpOnly');
  if (cookie.secure?.value === true) parts.push('Secure');
  // The library writes `explicitNone` for None; its `none` means that the attribute is left out.
  const sameSite = sameSiteNames.get(cookie.sameSite?.toLowerCase() ?? '');
  if (sameSite !== undefined) parts.push(`SameSite=${sameSite}`);
  return parts.join('; ');
}
