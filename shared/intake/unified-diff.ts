import { readPatch } from '../domain/patch/read-patch.ts';

/**
 * Why the input of the line `patch` is no patch that can be taken, with the line where that shows; undefined when it is one. A diff that
 * was cut off, edited by hand, or made with options that leave something out is found here and not after a sandbox was started. Whether
 * it applies is the station's to find out.
 */
export function patchFault(patch: Uint8Array): string | undefined {
  const read = readPatch(patch);
  return 'fault' in read ? read.fault.message : undefined;
}
