import type { Packet } from '../packet/schema.ts';
import type { ApplicationDeclaration } from './declaration.ts';

/**
 * Whether packages of JavaScript have to be fetched: for the prepare command, without which nothing installs them, or for the line that
 * moves one. A lockfile that nobody reads is no reason for a job of the packages pool.
 */
export const needsPackages = (packet: Packet, declaration: ApplicationDeclaration): boolean =>
  packet.line.name === 'dependency-update' || declaration.prepare !== undefined;
