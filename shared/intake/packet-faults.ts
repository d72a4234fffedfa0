import semver from 'semver';
import { LIMITS } from '../domain/limits.ts';
import { plainlyApart, plainlyCovers } from '../domain/packet/glob.ts';
import { LINE_NAMES, type LineInput } from '../domain/packet/line-input.ts';
import type { Packet } from '../domain/packet/schema.ts';
import { patchBytesOf, patchPointer } from '../domain/patch/line-patch.ts';
import type { RefusalDetail } from '../domain/refusal.ts';
import { ruleFaults } from './ast-grep-rule.ts';
import { fieldFaults } from './field-faults.ts';
import { patchFault } from './unified-diff.ts';

/** What a well-formed packet gets wrong by itself, whatever application it is for. */
export function packetFaults(packet: Packet): RefusalDetail[] {
  return [
    ...fieldFaults(packet),
    ...doneFaults(packet),
    ...scopeFaults(packet),
    ...testPathFaults(packet),
    ...untouchedFaults(packet),
    ...evidenceFaults(packet),
    ...lineFaults(packet.line),
  ];
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

/** Test files that may change and that no change can reach, since they lie outside the scope. */
function testPathFaults({ scope, validation, mustNotChange }: Packet): RefusalDetail[] {
  const closed = [...scope.deniedPaths, ...(mustNotChange?.paths ?? [])];
  return validation.testsMayChange.flatMap((glob, index) => {
    const denied = closed.find((candidate) => plainlyCovers(candidate, glob));
    const apart = scope.allowedPaths.every((allowed) => plainlyApart(allowed, glob));
    if (denied === undefined && !apart) return [];
    return [
      {
        pointer: `/validation/testsMayChange/${index}`,
        code: 'tests_out_of_scope',
        message: `"${glob}" is in validation.testsMayChange, yet ${denied === undefined ? 'no path of scope.allowedPaths reaches it' : `"${denied}" keeps it from changing`}. Change the scope, or take it out.`,
      },
    ];
  });
}

/** What must not change is never all that may: such a packet forbids its own goal. */
function untouchedFaults({ scope, mustNotChange, line }: Packet): RefusalDetail[] {
  if (mustNotChange === undefined) return [];
  const faults: RefusalDetail[] = [];
  const covering = scope.allowedPaths.map((allowed) =>
    mustNotChange.paths.find((glob) => plainlyCovers(glob, allowed)),
  );
  if (covering.every((glob) => glob !== undefined))
    faults.push({
      pointer: `/mustNotChange/paths/${mustNotChange.paths.indexOf(covering[0] ?? '')}`,
      code: 'nothing_may_change',
      message: `Everything in scope.allowedPaths must not change by ${quoted(covering)}, so no change could be right. Take it out, or widen the scope.`,
    });
  const updated = line.name === 'dependency-update' ? mustNotChange.packages.indexOf(line.package) : -1;
  if (line.name === 'dependency-update' && updated >= 0)
    faults.push({
      pointer: `/mustNotChange/packages/${updated}`,
      code: 'nothing_may_change',
      message: `The package "${line.package}" is what this packet updates, and must not change by mustNotChange. Take it out of the list.`,
    });
  return faults;
}

const quoted = (globs: readonly (string | undefined)[]): string =>
  [...new Set(globs)]
    .slice(0, 5)
    .map((glob) => `"${glob}"`)
    .join(', ');

/** Evidence that this very packet can never bring. */
function evidenceFaults({ evidenceRequired, output, reproduction }: Packet): RefusalDetail[] {
  const fault = (kind: Packet['evidenceRequired'][number], message: string): RefusalDetail[] => {
    const index = evidenceRequired.indexOf(kind);
    return index < 0 ? [] : [{ pointer: `/evidenceRequired/${index}`, code: 'evidence_impossible', message }];
  };
  return [
    ...(output.format === 'pull_request'
      ? []
      : fault(
          'pull_request',
          `The evidence "pull_request" is required and the output is "${output.format}". Make the output a pull request, or take the evidence out.`,
        )),
    ...(reproduction !== undefined && 'command' in reproduction
      ? []
      : fault(
          'failed_reproduction',
          'The evidence "failed_reproduction" is required and the packet has no reproduction command. Give one, or take the evidence out.',
        )),
  ];
}

function lineFaults(line: LineInput): RefusalDetail[] {
  switch (line.name) {
    case 'patch': {
      const bytes = patchBytesOf(line);
      const pointer = patchPointer(line);
      if (bytes.byteLength > LIMITS.packet.patchBytes)
        return [
          {
            pointer,
            code: 'too_large',
            message: `The patch has ${bytes.byteLength} bytes; the limit is ${LIMITS.packet.patchBytes}. Split the work.`,
          },
        ];
      const fault = patchFault(bytes);
      return fault === undefined ? [] : [{ pointer, code: 'not_a_patch', message: fault }];
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
