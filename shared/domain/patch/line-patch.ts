import type { LineInput } from '../packet/line-input.ts';

type PatchLine = Extract<LineInput, { name: 'patch' }>;

/** The bytes of a packet's patch, however it was handed in. */
export function patchBytesOf({ patch, patchBase64 }: PatchLine): Uint8Array {
  return patchBase64 === undefined ? new TextEncoder().encode(patch ?? '') : Buffer.from(patchBase64, 'base64');
}

/** Where in the packet the patch stands, as a JSON pointer. */
export const patchPointer = ({ patchBase64 }: PatchLine): string =>
  patchBase64 === undefined ? '/line/patch' : '/line/patchBase64';
