import { type Id, type IdKind, parseId } from '../domain/ids.ts';

/** The symbols of an id's random part, which has 16 of them (see `domain/ids.ts`). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const SYMBOLS = 16;

/**
 * An id that follows from what it names: its random part is taken from a hash (80 bits), so that making it again gives the same id and
 * nobody can find another thing with the same one. Not made by `newId`, which counts up within a millisecond. `prefix` is the kind's own. `hash` has at least 16 bytes.
 */
export function derivedId<K extends IdKind>(kind: K, prefix: string, atMs: number, hash: Uint8Array): Id<K> {
  let tail = '';
  for (const byte of hash.subarray(0, SYMBOLS)) tail += ALPHABET[byte & 31];
  const time = Math.max(0, Math.floor(atMs)).toString(36).padStart(9, '0');
  const id = parseId(kind, `${prefix}_${time}${tail}`);
  if (id === undefined)
    throw new Error(`${prefix} is not the prefix of the ids of a ${kind}, or its hash is too short`);
  return id;
}
