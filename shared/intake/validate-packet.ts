import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import { hasHoldouts } from '../domain/application/holdouts.ts';
import type { ProductLine } from '../domain/blueprint/schema.ts';
import { deploymentFaults } from '../domain/deployment/environment.ts';
import { commandsOutside } from '../domain/packet/allowed-commands.ts';
import type { Packet } from '../domain/packet/schema.ts';
import type { RefusalDetail } from '../domain/refusal.ts';
import { invalid } from './packet.ts';
import { unknownLine } from './packet-faults.ts';

export type PacketSurroundings = {
  readonly declaration: ApplicationDeclaration;
  /** The packet's product line in the definitions installed on the application; undefined when they have none of that name. */
  readonly line: ProductLine | undefined;
  /** Names of the lines that are installed, for the refusal. */
  readonly knownLines?: readonly string[];
  /** The time, in epoch milliseconds; a deadline is not checked without it. */
  readonly now?: number;
};

/**
 * Checks a parsed packet against the application it is for and the product line it names. Refuses with 422
 * `FACTORY-PACKET-INVALID`, one detail a fault, before anything is started: a repository the application doesn't have, checks or
 * scenarios where it has none, commands that nobody allowed, no validation at all, a line that isn't installed, a format it doesn't offer, a missing
 * reproduction, a deadline that has passed.
 */
export function validatePacket(packet: Packet, surroundings: PacketSurroundings): void {
  const faults = surroundingFaults(packet, surroundings);
  if (faults.length > 0) throw invalid(faults);
}

/** The faults that `validatePacket` refuses, of as much of the surroundings as is known: without an application or lines nothing of them is checked. */
export function surroundingFaults(packet: Packet, surroundings: Partial<PacketSurroundings>): RefusalDetail[] {
  const { declaration, now } = surroundings;
  const faults =
    declaration === undefined
      ? []
      : [...applicationFaults(packet, declaration), ...deploymentFaults(packet, declaration)];
  if ('line' in surroundings) faults.push(...installedLineFaults(packet, surroundings.line, surroundings.knownLines));
  if (packet.deadline !== undefined && now !== undefined && Date.parse(packet.deadline) <= now)
    faults.push({
      pointer: '/deadline',
      code: 'deadline_passed',
      message: `The deadline ${packet.deadline} has passed. Give a later one, or none.`,
    });
  return faults;
}

function applicationFaults(packet: Packet, declaration: ApplicationDeclaration): RefusalDetail[] {
  const faults: RefusalDetail[] = [];
  const repositories = declaration.repositories.map((repository) => repository.name);
  if (!repositories.includes(packet.scope.repository)) {
    faults.push({
      pointer: '/scope/repository',
      code: 'unknown_repository',
      message: `The application ${declaration.name} has no repository "${packet.scope.repository}". It has: ${repositories.slice(0, 20).join(', ')}.`,
    });
  }
  const { checks, scenarios, commands } = packet.validation;
  const undeclared = (
    names: readonly string[],
    declared: readonly { readonly name: string }[],
    field: string,
    code: 'unknown_check' | 'unknown_scenario',
  ): void => {
    const what = code === 'unknown_check' ? 'check' : 'scenario';
    for (const [index, name] of names.entries()) {
      if (declared.some((item) => item.name === name)) continue;
      const possible =
        declared
          .map((item) => item.name)
          .slice(0, 20)
          .join(', ') || 'none';
      faults.push({
        pointer: `/validation/${field}/${index}`,
        code,
        message: `The application ${declaration.name} declares no ${what} "${name.slice(0, 64)}". It declares: ${possible}.`,
      });
    }
  };
  undeclared(checks, declaration.checks, 'checks', 'unknown_check');
  // Their names are hidden, so that a packet can't ask for them one by one: all of them are run, whichever it names.
  const hidden = hasHoldouts(declaration);
  if (!hidden) undeclared(scenarios, [], 'scenarios', 'unknown_scenario');
  for (const { index, command } of commandsOutside(packet, declaration))
    faults.push({
      pointer: `/validation/commands/${index}`,
      code: 'command_not_allowed',
      message: `${JSON.stringify(command).slice(0, 500)} is neither in boundary.allowedCommands nor a declared check of ${declaration.name}. Add it to boundary.allowedCommands word for word, or take it out.`,
    });
  const reproduces = packet.reproduction !== undefined && 'command' in packet.reproduction;
  if (checks.length + commands.length + declaration.checks.length === 0 && !hidden && !reproduces) {
    const message = `Nothing would validate the change: the packet names nothing and the application ${declaration.name} declares no checks. Give validation commands, or declare checks.`;
    faults.push({ pointer: '/validation', code: 'no_validation', message });
  }
  return faults;
}

function installedLineFaults(
  packet: Packet,
  line: ProductLine | undefined,
  knownLines: readonly string[] | undefined,
): RefusalDetail[] {
  if (line === undefined) return [unknownLine(packet.line.name, knownLines)];
  const faults: RefusalDetail[] = [];
  if (!line.outputFormats.includes(packet.output.format)) {
    faults.push({
      pointer: '/output/format',
      code: 'format_not_offered',
      message: `The product line ${line.line} does not offer "${packet.output.format}". It offers: ${line.outputFormats.join(', ')}.`,
    });
  }
  if (line.reproductionRequired && packet.reproduction === undefined) {
    faults.push({
      pointer: '/reproduction',
      code: 'reproduction_missing',
      message: `The product line ${line.line} needs a reproduction. Give a command that fails on the base, or the reason why there is none.`,
    });
  }
  return faults;
}
