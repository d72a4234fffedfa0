import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { readDefinitions } from '../../shared/definitions/read.ts';
import { Refusal, type RefusalDetail } from '../../shared/domain/refusal.ts';
import { type ParsedPacket, parsePacket } from '../../shared/intake/packet.ts';
import { locator, type Position } from '../../shared/intake/position.ts';
import { type PacketSurroundings, surroundingFaults } from '../../shared/intake/validate-packet.ts';
import { globalOptions } from '../options.ts';
import { plainText, print, printJson } from '../output/terminal.ts';
import { readPacketFile } from '../request/packet-file.ts';
import { declarationFrom } from '../setup/application.ts';
import { definitionsIn } from './definitions-directory.ts';

export type CheckOptions = { readonly declaration?: string; readonly definitions: string };
type Fault = RefusalDetail & Partial<Pick<Position, 'line' | 'column'>>;

/** What only an application can tell, said when none was given. */
const UNTOLD = 'its repository, checks, scenarios, validation commands and environment: give --declaration';

/**
 * Checks a packet file by the code that a plane checks it with, without one. Prints each fault with its line and column where the document
 * has it; the exit code is 1 when a plane would refuse the packet. What was not looked at is said.
 */
export async function checkPacket(file: string, options: CheckOptions, command: Command): Promise<void> {
  const { bytes, mediaType } = readPacketFile(file);
  const { lines } = readDefinitions(await definitionsIn(options.definitions));
  const checked = check(bytes, mediaType, (packet) => ({
    line: lines.get(packet.line.name)?.line,
    knownLines: [...lines.keys()],
    now: Date.now(),
    ...(options.declaration === undefined ? {} : { declaration: declarationFrom(options.declaration, undefined) }),
  }));
  const faults = located(checked.faults, readFileSync(file));
  const notChecked = options.declaration === undefined ? [UNTOLD] : [];
  if (faults.length > 0) process.exitCode = 1;
  if (globalOptions(command).json) return printJson({ digest: checked.digest, faults, notChecked });
  for (const { pointer, code, message, line, column } of faults) {
    const place = line === undefined ? file : `${file}:${line}${column === undefined ? '' : `:${column}`}`;
    print(plainText(`${place}: ${pointer === '' ? '' : `${pointer}: `}${message} (${code})`));
  }
  for (const untold of notChecked) print(`Not looked at: ${untold}.`);
  print(
    faults.length === 0
      ? `Good: ${checked.digest}`
      : `${faults.length === 1 ? 'One fault' : `${faults.length} faults`}; a plane would refuse the packet.`,
  );
}

function check(
  bytes: Uint8Array,
  mediaType: string,
  surroundings: (packet: ParsedPacket['packet']) => Partial<PacketSurroundings>,
): { readonly digest: string | null; readonly faults: readonly RefusalDetail[] } {
  try {
    const { packet, digest } = parsePacket(bytes, mediaType);
    return { digest, faults: surroundingFaults(packet, surroundings(packet)) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const whole = { pointer: '', code: error.code, message: error.message };
    return { digest: null, faults: error.details.length > 0 ? error.details : [whole] };
  }
}

/** The faults with their places in the file; a document that is none has the place that its own fault names. */
function located(faults: readonly RefusalDetail[], bytes: Uint8Array): Fault[] {
  if (faults.length === 0) return [];
  const positionOf = locator(new TextDecoder().decode(bytes));
  return faults.map((fault) => {
    const named = /\bline (\d+)(?: column (\d+))?/iu.exec(fault.pointer === '' ? fault.message : '');
    if (named !== null)
      return { ...fault, line: Number(named[1]), ...(named[2] === undefined ? {} : { column: Number(named[2]) }) };
    const position = fault.pointer === '' ? undefined : positionOf(fault.pointer);
    return position === undefined ? fault : { ...fault, line: position.line, column: position.column };
  });
}
