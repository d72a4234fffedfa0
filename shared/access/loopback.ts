import { Refusal } from '../domain/refusal.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Refuses a call that did not come to this machine by its own name: a page on the web can make a browser send requests to
 * loopback, but not without an Origin of its own, nor (DNS rebinding) with a Host that is ours.
 */
export function requireLoopback(headers: Headers): void {
  const host = headers.get('host') ?? '';
  const origin = headers.get('origin');
  const own = origin === null || origin === `http://${host}`;
  if (LOOPBACK.test(host) && own) return;
  throw new Refusal(
    403,
    'FACTORY-NOT-LOOPBACK',
    'The local issuer answers programs on this machine only. Call it by 127.0.0.1 or localhost, without an Origin of another site.',
  );
}
