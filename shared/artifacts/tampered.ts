import type { Digest } from '../domain/digest.ts';

/** What was found wrong when a stored artifact was opened. */
export type TamperedPart = 'missing' | 'format' | 'key' | 'frame' | 'truncated' | 'content' | 'size' | 'digest';

/**
 * Thrown when stored bytes are not the ones that were sealed: some part was changed, cut, exchanged or removed outside the
 * plane. Nothing that was read may be used. The caller records it in the audit stream; the message names no content.
 */
export class ArtifactTampered extends Error {
  override readonly name = 'ArtifactTampered';
  readonly code = 'FACTORY-ARTIFACT-TAMPERED';
  readonly digest: Digest;
  readonly objectId: string;
  readonly part: TamperedPart;

  constructor(digest: Digest, objectId: string, part: TamperedPart, because: string) {
    super(
      `Artifact ${digest} (object ${objectId}) can't be trusted: ${because}. The stored bytes were changed or lost outside the plane; restore the object from a backup, nothing was answered from it.`,
    );
    this.digest = digest;
    this.objectId = objectId;
    this.part = part;
  }
}
