import type { ApplicationDeclaration } from '../application/declaration.ts';
import { canonicalJson } from '../digest.ts';
import type { Packet } from './schema.ts';

/** A validation command by its place in the list. */
export type CommandOutside = { readonly index: number; readonly command: readonly string[] };

/**
 * Validation commands that nobody allowed: each must be named, word for word, by the packet's boundary or by a declared check. The
 * reproduction is one command that the packet states apart, and needs no second mention.
 */
export function commandsOutside(packet: Packet, { checks }: Pick<ApplicationDeclaration, 'checks'>): CommandOutside[] {
  const allowed = new Set(
    [...packet.boundary.allowedCommands, ...checks.map((check) => check.command)].map((command) =>
      canonicalJson(command),
    ),
  );
  return packet.validation.commands
    .map((command, index) => ({ index, command }))
    .filter(({ command }) => !allowed.has(canonicalJson(command)));
}
