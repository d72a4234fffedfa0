import semver from 'semver';
import { plainlyCovers } from '../domain/packet/glob.ts';
import { LINE_NAMES, type LineInput } from '../domain/packet/line-input.ts';
import type { Packet } from '../domain/packet/schema.ts';
import type { RefusalDetail } from '../domain/refusal.ts';
import { ruleFaults } from './ast-grep-rule.ts';
import { patchFault } from './unified-diff.ts';

/** What a well-formed packet gets wrong by itself, whatever application it is for. */
export function packetFaults(packet: Packet): RefusalDetail[] {
  return [...doneFaults(packet), ...scopeFaults(packet), ...toolFaults(packet), ...lineFaults(packet.line)];
}

/** A packet that says neither what must hold afterwards nor how to see it can never be finished, only abandoned. */
function doneFaults({ acceptance, reproduction, validation }: Packet): RefusalDetail[] {
  const reproduces = reproduction !== undefined && 'command' in reproduction;
  const validates = validation.checks.length + validation.scenarios.length + validation.commands.length > 0;
  if (acceptance.length > 0 || reproduces || validates) return [];
  return [
    {
      pointer: '/acceptance',
      code: 'cannot_state_done',
      message: 'Nobody could say when this is done. Give acceptance criteria, a reproduction command, or validation.',
    },
  ];
}

/**
 * A path that is in scope and denied: an allowed glob that a denied one plainly covers (`plainlyCovers` says what that is), so
 * nothing in it could ever be changed. A denied glob inside an allowed one is how exceptions are written, and is fine.
 */
function scopeFaults({ scope }: Packet): RefusalDetail[] {
  return scope.allowedPaths.flatMap((allowed, index) => {
    const denied = scope.deniedPaths.find((candidate) => plainlyCovers(candidate, allowed));
    if (denied === undefined) return [];
    return [
      {
        pointer: `/scope/allowedPaths/${index}`,
        code: 'allowed_and_denied',
        message: `"${allowed}" is in scope and denied by "${denied}". Take it out of one of the two lists.`,
      },
    ];
  });
}

function toolFaults({ tools }: Packet): RefusalDetail[] {
  const allowed = new Set([...tools.mcp, ...tools.cli, ...tools.readOnly, ...tools.mutating]);
  return tools.denied.flatMap((tool, index) =>
    allowed.has(tool)
      ? [
          {
            pointer: `/tools/denied/${index}`,
            code: 'allowed_and_denied',
            message: `The tool "${tool.slice(0, 100)}" is allowed and denied. Take it out of one of the lists.`,
          },
        ]
      : [],
  );
}

function lineFaults(line: LineInput): RefusalDetail[] {
  switch (line.name) {
    case 'patch': {
      const fault = patchFault(line.patch);
      return fault === undefined ? [] : [{ pointer: '/line/patch', code: 'not_a_patch', message: fault }];
    }
    case 'api-migration':
      return ruleFaults(line.rules);
    case 'dependency-update':
      return rangeFaults(line.range);
    default:
      return [];
  }
}

function rangeFaults(range: string): RefusalDetail[] {
  const fault = (message: string): RefusalDetail[] => [{ pointer: '/line/range', code: 'invalid_range', message }];
  if (semver.validRange(range) === null)
    return fault(`"${range.slice(0, 100)}" is not a semver range. Write one like ">=1.4.2 <2".`);
  const lowest = semver.minVersion(range);
  if (lowest === null || !semver.satisfies(lowest, range))
    return fault(`No version lies in "${range.slice(0, 100)}". Correct its bounds.`);
  return [];
}

/** Whether this plane has an input for a product line of this name; the refusal lists the ones it has. */
export const unknownLine = (name: string, known: readonly string[] = LINE_NAMES): RefusalDetail => ({
  pointer: '/line/name',
  code: 'unknown_line',
  message: `There is no product line ${JSON.stringify(name.slice(0, 64))}. Known: ${known.join(', ') || 'none'}.`,
});
