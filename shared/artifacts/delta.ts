import { applyPatch as applyUnified, createTwoFilesPatch } from 'diff';
import { applyPatch, createPatch, type Operation } from 'rfc6902';
import { canonicalJson, type Digest, digestOfBytes } from '../domain/digest.ts';

/**
 * How one artifact becomes another. `json-patch` (RFC 6902): apply to the parsed JSON, then write as canonical JSON (RFC 8785).
 * `unified-diff`: apply to the text. `whole`: the bytes themselves. In each case the result has the digest `to`.
 */
export type Delta = {
  readonly form: 'json-patch' | 'unified-diff' | 'whole';
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly from: Digest;
  readonly to: Digest;
};

/** Inputs larger than this are answered whole: comparing costs more than it saves, and grows faster than the input. */
export const DELTA_INPUT_BYTES = 256 * 1024;
/** Two arrays are compared element by element (cost: their product) only below this; otherwise one replaces the other. */
const ARRAY_PRODUCT = 250_000;
/** Changed lines after which two texts count as different texts. */
const EDIT_LENGTH = 2_000;

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

const isJson = (mediaType: string): boolean => /^application\/(json|[a-z0-9.+-]+\+json)(;|$)/.test(mediaType);

/** Large arrays are replaced as a whole; undefined leaves the comparison to the library. */
function replacingLargeArrays(
  input: unknown,
  output: unknown,
  pointer: { toString(): string },
): Operation[] | undefined {
  if (!Array.isArray(input) || !Array.isArray(output) || input.length * output.length <= ARRAY_PRODUCT)
    return undefined;
  return [{ op: 'replace', path: pointer.toString(), value: output }];
}

/** The patch, or undefined where the new document is not canonical JSON: its bytes could not be made again from a value. */
function jsonPatch(from: string, to: string): string | undefined {
  // A member called __proto__ does not survive assignment.
  if (from.includes('__proto__') || to.includes('__proto__')) return undefined;
  try {
    const target: unknown = JSON.parse(to);
    if (canonicalJson(target) !== to) return undefined;
    const operations = createPatch(JSON.parse(from), target, replacingLargeArrays);
    const holder = { document: JSON.parse(from) as unknown };
    const rooted = operations.map((operation) => rootedAt('/document', operation));
    const failed = applyPatch(holder, rooted).some((result) => result !== null);
    return failed || canonicalJson(holder.document) !== to ? undefined : canonicalJson(operations);
  } catch {
    return undefined;
  }
}

/** The library patches in place, which can't replace a root: the document is patched as a member of another. */
function rootedAt(prefix: string, operation: Operation): Operation {
  const path = `${prefix}${operation.path}`;
  return operation.op === 'move' || operation.op === 'copy'
    ? { ...operation, path, from: `${prefix}${operation.from}` }
    : { ...operation, path };
}

function unifiedDiff(from: string, to: string, names: readonly [string, string]): string | undefined {
  const patch = createTwoFilesPatch(names[0], names[1], from, to, undefined, undefined, {
    context: 3,
    maxEditLength: EDIT_LENGTH,
  });
  if (patch === undefined) return undefined;
  return applyUnified(from, patch, { autoConvertLineEndings: false }) === to ? patch : undefined;
}

/**
 * The smallest of JSON Patch, unified diff and the whole, for a reader who has `from`. Pure. A patch is answered only when applying it was
 * seen to give exactly `to`.
 */
export function delta(from: Uint8Array, to: Uint8Array, mediaType: string): Delta {
  const digests = { from: digestOfBytes(from), to: digestOfBytes(to) };
  const whole: Delta = { form: 'whole', mediaType, bytes: to, ...digests };
  if (from.byteLength > DELTA_INPUT_BYTES || to.byteLength > DELTA_INPUT_BYTES) return whole;
  const before = textOf(from);
  const after = textOf(to);
  if (before === undefined || after === undefined) return whole;
  const candidates: Delta[] = [whole];
  const patch = isJson(mediaType) ? jsonPatch(before, after) : undefined;
  if (patch !== undefined)
    candidates.push({
      form: 'json-patch',
      mediaType: 'application/json-patch+json',
      bytes: Buffer.from(patch),
      ...digests,
    });
  const unified = unifiedDiff(before, after, [digests.from, digests.to]);
  if (unified !== undefined)
    candidates.push({
      form: 'unified-diff',
      mediaType: 'text/x-diff; charset=utf-8',
      bytes: Buffer.from(unified),
      ...digests,
    });
  return candidates.reduce((smallest, candidate) =>
    candidate.bytes.byteLength < smallest.bytes.byteLength ? candidate : smallest,
  );
}
