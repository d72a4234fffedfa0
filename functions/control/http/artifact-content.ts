import type { Artifacts } from '../../../shared/artifacts/artifacts.ts';
import type { Digest } from '../../../shared/domain/digest.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { byteRange, bytesOf } from '../../../shared/http/range.ts';
import type { Answer, Call } from './route.ts';

/** What is said of a range in the description of a route that answers one. */
export const RANGE = {
  range: {
    required: false,
    description: 'One range of bytes, as in `bytes=0-1023`; several are answered with the whole',
  },
  'if-range': { required: false, description: 'The entity tag that the range is of' },
} as const;

/**
 * The bytes of an artifact, or with `Range` one range of them (206, RFC 9110 §15.3.7). What was made by others is data, whatever it
 * calls itself: no browser is to run it.
 */
export async function contentOf(
  artifacts: Artifacts,
  { headers: asked, head }: Pick<Call, 'headers' | 'head'>,
  digest: Digest,
  given: { readonly mediaType: string; readonly cacheControl: string; readonly tag: string },
): Promise<Answer> {
  const stat = await artifacts.stat(digest);
  if (stat === undefined) throw notFound(`Artifact ${digest}`);
  const { mediaType, cacheControl, tag } = given;
  const headers = {
    etag: tag,
    'cache-control': cacheControl,
    'content-type': mediaType,
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
  };
  // Ranges are of GET alone (RFC 9110 §14.2).
  const range = head ? undefined : byteRange(asked, stat.size, tag);
  if (range === undefined) return { status: 200, body: await artifacts.open(digest), headers };
  return {
    status: 206,
    body: bytesOf(await artifacts.open(digest), range),
    headers: { ...headers, 'content-range': `bytes ${range.first}-${range.last}/${stat.size}` },
  };
}
