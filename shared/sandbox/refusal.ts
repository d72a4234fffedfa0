import { revealed, visibleForm } from '../domain/text/hidden.ts';

/** Stable codes of what the sandbox folder refuses. Texts may change, codes may not. */
export type RefusalCode =
  | 'SANDBOX-UNAVAILABLE'
  | 'SANDBOX-SETUP-FAILED'
  | 'SANDBOX-MOUNT-REFUSED'
  | 'SANDBOX-NOT-ACKNOWLEDGED'
  | 'SANDBOX-POOL-BUSY'
  | 'SANDBOX-SESSION-LOST'
  | 'SANDBOX-ANSWER-REFUSED'
  | 'SANDBOX-RESULT-REFUSED'
  | 'WORKSPACE-EXISTS'
  | 'WORKSPACE-TOO-LARGE'
  | 'WORKSPACE-NAME-REFUSED'
  | 'GIT-FAILED'
  | 'GIT-TIMED-OUT'
  | 'GIT-CANCELLED'
  | 'GIT-OUTPUT-TOO-LARGE'
  | 'GIT-ARGUMENT-REFUSED'
  | 'SOURCE-NOT-FOUND'
  | 'SOURCE-PROTOCOL-REFUSED'
  | 'SOURCE-CORRUPT'
  | 'SOURCE-SHALLOW'
  | 'SOURCE-PARTIAL'
  | 'SOURCE-OTHER-OWNER'
  | 'SOURCE-NOT-READABLE'
  | 'SOURCE-SHA256'
  | 'SOURCE-UNSUPPORTED'
  | 'SOURCE-NOT-ON-BRANCH'
  | 'SOURCE-TOO-LARGE'
  | 'SOURCE-BLOB-TOO-LARGE'
  | 'SOURCE-TOO-MANY-ENTRIES'
  | 'BUNDLE-CORRUPT'
  | 'BUNDLE-MISSING-BASE'
  | 'TREE-NESTED-REPOSITORY'
  | 'TREE-GITLINK'
  | 'TREE-SPECIAL-FILE'
  | 'TREE-NAME-REFUSED'
  | 'TREE-CASE-COLLISION'
  | 'TREE-LINK-ESCAPES'
  | 'TREE-TOO-LARGE'
  | 'TREE-BLOB-TOO-LARGE'
  | 'TREE-TOO-MANY-ENTRIES'
  | 'TREE-TOO-DEEP'
  | 'TREE-NOT-READABLE'
  | 'TREE-CHANGED-WHILE-READ'
  | 'PATCH-DOES-NOT-APPLY'
  | 'PATCH-CONFLICT'
  | 'PATCH-MALFORMED'
  | 'PATCH-TOO-LARGE'
  | 'DIFF-TOO-LARGE';

export type RefusalDetails = {
  /** The path inside the tree, workspace or patch that it is about; control characters are shown escaped. */
  readonly path?: string;
  /** The limit that was passed, in the unit of its name in limits.ts. */
  readonly limit?: number;
  readonly cause?: unknown;
};

/** Thrown when an input, a repository or the machine is not fit for the work. Never carries file contents. */
export class SandboxRefusal extends Error {
  readonly code: RefusalCode;
  readonly path: string | null;
  readonly limit: number | null;

  constructor(code: RefusalCode, what: string, details: RefusalDetails = {}) {
    super(`${code}: ${what}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SandboxRefusal';
    this.code = code;
    this.path = details.path === undefined ? null : showPath(details.path);
    this.limit = details.limit ?? null;
  }
}

// Cc, Cf (which holds the bidirectional controls), line and paragraph separators.
const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A path that is safe to print: what no name may hold shows as `⟨U+202E⟩`. */
export function showPath(path: string): string {
  return revealed(path.replace(unprintable, visibleForm));
}
