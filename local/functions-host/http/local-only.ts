import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Whether an address, or the name `localhost`, can only be this machine. */
export function isLoopback(address: string): boolean {
  if (address === 'localhost') return true;
  const bare = address.replace(/^\[|\]$/g, '');
  return loopback.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/**
 * Whether a request may reach the host's own endpoints, which take no key here: it comes from this machine, was addressed
 * to it by name (so no page can reach it by rebinding a name), and was not sent by a page.
 */
export function isLocalCaller(request: IncomingMessage): boolean {
  const hostName = (request.headers.host ?? '').replace(/:\d+$/, '');
  return isLoopback(request.socket.remoteAddress ?? '') && isLoopback(hostName) && request.headers.origin === undefined;
}
