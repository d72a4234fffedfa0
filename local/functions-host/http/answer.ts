import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers with JSON, or with an empty body when there is no value. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value?: unknown,
  headers: Record<string, string> = {},
): void {
  if (value === undefined) {
    response.writeHead(status, { 'content-length': 0, ...headers }).end();
    return;
  }
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const type = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };
  response.writeHead(status, { ...type, ...headers }).end(body);
}

/** The request's body is longer than the host takes. */
export class BodyTooLargeError extends Error {
  override name = 'BodyTooLargeError';
}

/** Reads a body whole. Throws BodyTooLargeError beyond `limit` bytes, before more than that is held. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLargeError();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > limit) throw new BodyTooLargeError();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, size);
}
