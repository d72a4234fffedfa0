import { SandboxRefusal } from '../refusal.ts';

declare const kind: unique symbol;

/** 40 lower-case hexadecimal digits (SHA-1) or 64 (SHA-256) naming a commit. */
export type CommitId = string & { readonly [kind]: 'commit' };
/** 40 or 64 lower-case hexadecimal digits naming a tree. */
export type TreeId = string & { readonly [kind]: 'tree' };

const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** The commit named by `text`, or `GIT-ARGUMENT-REFUSED` when it is not an object id. */
export function parseCommitId(text: string): CommitId {
  return requireObjectId(text, 'commit') as CommitId;
}

/** The tree named by `text`, or `GIT-ARGUMENT-REFUSED` when it is not an object id. */
export function parseTreeId(text: string): TreeId {
  return requireObjectId(text, 'tree') as TreeId;
}

function requireObjectId(text: string, what: string): string {
  if (objectId.test(text)) return text;
  throw new SandboxRefusal(
    'GIT-ARGUMENT-REFUSED',
    `${JSON.stringify(text.slice(0, 80))} is not the id of a ${what}: give its 40 or 64 hexadecimal digits`,
  );
}
