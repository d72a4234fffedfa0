import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Whether a request brings the host's key: in `x-functions-key` or as `code`, the two ways of Azure's host keys, or as the
 * password of basic authentication, which is how a URL gives it to the library's durable client.
 */
export function openKeyCheck(key: string): (request: IncomingMessage, url: URL) => boolean {
  const expected = digest(key);
  return (request, url) => {
    const given = request.headers['x-functions-key'] ?? url.searchParams.get('code') ?? passwordOf(request);
    return typeof given === 'string' && timingSafeEqual(digest(given), expected);
  };
}

/** RFC 7617 §2. */
function passwordOf(request: IncomingMessage): string | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

/** Digests have one length, whatever was given. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
