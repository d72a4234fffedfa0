import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { LIMITS } from '../../shared/domain/limits.ts';
import { readPacketValue } from '../../shared/intake/packet.ts';
import { CommandFailure, messageOf } from '../failure.ts';

const MEDIA_TYPE: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
};

/** A packet as it is sent. */
export type PacketFile = { readonly bytes: Uint8Array; readonly mediaType: string };

/**
 * A packet out of a file, with the bytes of `line.patchFile` in it as `line.patchBase64`. That file lies in the folder of the packet or
 * below it, also where links lead. What is wrong with the packet itself is for whoever parses it.
 */
export function readPacketFile(file: string): PacketFile {
  const mediaType = mediaTypeOf(file);
  const bytes = readFileSync(file);
  if (!bytes.includes('patchFile')) return { bytes, mediaType };
  const value = readPacketValue(bytes, mediaType);
  if (!isObject(value) || !isObject(value['line']) || typeof value['line']['patchFile'] !== 'string')
    return { bytes, mediaType };
  const { patchFile, ...line } = value['line'];
  const patchBase64 = readPatch(path.dirname(file), String(patchFile)).toString('base64');
  const packet = { ...value, line: { ...line, patchBase64 } };
  return { bytes: Buffer.from(JSON.stringify(packet)), mediaType: 'application/json' };
}

function mediaTypeOf(file: string): string {
  const mediaType = MEDIA_TYPE[path.extname(file).toLowerCase()];
  if (mediaType === undefined)
    throw new CommandFailure(`${file} is no packet by its name: it should end in .yaml or .json.`);
  return mediaType;
}

function readPatch(folder: string, named: string): Buffer {
  const place = path.resolve(folder, named);
  try {
    const real = realpathSync(place);
    const inside = path.relative(realpathSync(folder), real);
    if (inside === '..' || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside))
      throw new CommandFailure(
        `line.patchFile names ${named}, which lies outside the packet's folder ${path.resolve(folder)}. Copy the patch there.`,
      );
    const found = statSync(real);
    if (!found.isFile()) throw new CommandFailure(`line.patchFile names ${place}, which is no file.`);
    if (found.size > LIMITS.packet.patchBytes)
      throw new CommandFailure(
        `The patch ${place} has ${found.size} bytes; the limit of a patch is ${LIMITS.packet.patchBytes}. Split the work.`,
      );
    return readFileSync(real);
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`The patch ${place}, which line.patchFile names, can't be read: ${messageOf(error)}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
