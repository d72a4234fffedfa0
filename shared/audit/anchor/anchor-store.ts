/**
 * Where anchors are kept outside the database, so that who can rewrite the database can't rewrite them: read-only files on one
 * machine, immutable blobs in Azure. Names follow from the sequence, so two writers of one anchor meet.
 */
export type AnchorStore = {
  /** Writes the anchor durably unless one of this name is there: then answers `taken` and changes nothing. */
  create(name: string, text: string): Promise<'created' | 'taken'>;
  read(name: string): Promise<string | undefined>;
  /** Names of the anchors, ascending, behind a name. */
  list(behind: string): AsyncIterable<string>;
};

/** Deterministic name of an anchor: twelve digits, so that names sort as sequences do. */
export const anchorName = (sequence: number): string => `anchor-${String(sequence).padStart(12, '0')}.json`;
