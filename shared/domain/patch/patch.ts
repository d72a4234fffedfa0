/** Lines of a hunk that begin with `@@`, verbatim, one character a byte. */
export type Hunk = {
  /** Line of the patch, from 1. */
  readonly line: number;
  readonly oldStart: number;
  readonly lines: readonly string[];
  /** Without a line of context, as `-U0` makes it: its place is the line number alone. */
  readonly bare: boolean;
  /** Whether what it takes out is what it puts in. */
  readonly idle: boolean;
};

/** What a patch does with one file. Paths have no prefix; null stands for /dev/null. */
export type PatchFile = {
  readonly line: number;
  readonly from: string | null;
  readonly to: string | null;
  /** Whether a `diff --git` line stood there, which gives the lines up to the names their meaning. */
  readonly git: boolean;
  /** Lines between `diff --git` and the names: modes, similarity, renames, index. */
  readonly headers: readonly string[];
  readonly copied: boolean;
  /** Ids of the blobs before and after, as many digits as there are (git-diff(1), --full-index). */
  readonly oldBlob: string | null;
  readonly newBlob: string | null;
  readonly hunks: readonly Hunk[];
  /** Lines of a binary patch. */
  readonly binary: readonly string[] | null;
};

/** One diff, or several that build on each other, as `git format-patch --stdout` writes them. */
export type Patch = { readonly steps: readonly (readonly PatchFile[])[] };

/** Why a text is no patch that can be taken, and the line (from 1) where that shows. */
export type PatchFault = { readonly line: number; readonly message: string };

/** What a file is called in messages. */
export const nameOf = ({ from, to }: PatchFile): string => to ?? from ?? '';
