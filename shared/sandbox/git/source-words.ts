import { type RefusalCode, SandboxRefusal } from '../refusal.ts';

/** What git says of a source, what it means, and, where git's own advice can't work for the factory, what does. */
const words: readonly (readonly [RegExp, RefusalCode, string?])[] = [
  [
    /dubious ownership/,
    'SOURCE-OTHER-OWNER',
    "the repository's owner is another user of this machine than the one that runs the factory, and git reads nothing there then. Git's own advice (safe.directory) has no effect here, as no configuration of the machine is read. Give the factory a copy that its user owns (cp -r REPOSITORY COPY), change the owner (chown -R), or run the factory as the owner",
  ],
  [
    /promisor remote|lazy fetching/,
    'SOURCE-PARTIAL',
    'the repository is a partial clone, without all blobs or trees of its history; complete it with "git fetch --refetch --no-filter" there, or give a full clone',
  ],
  [
    /mismatched algorithms|unknown hash algorithm/,
    'SOURCE-SHA256',
    'the repository names its objects by SHA-256; the factory works on SHA-1 repositories alone. Give one made without --object-format=sha256',
  ],
  [
    /unknown repository extension|Expected git repo version|unknown repository storage/i,
    'SOURCE-UNSUPPORTED',
    'the repository uses a format that the git of this machine does not read. Update git here, or give a clone in the plain format (git clone --bare)',
  ],
  [/non-commit object/, 'SOURCE-NOT-FOUND', 'scope.ref names an object that is no commit; name a commit'],
  [/transport '[^']*' not allowed/, 'SOURCE-PROTOCOL-REFUSED'],
  [
    /couldn't find remote ref|not our ref|does not appear to be a git repository|Repository not found|does not exist/i,
    'SOURCE-NOT-FOUND',
  ],
  [/Permission denied|insufficient permission/i, 'SOURCE-NOT-READABLE'],
  [
    /fsck error|error in object|index-pack failed|unpack-objects failed|invalid index-pack output|did not send all necessary objects|bad object|is corrupt|inflate|repository corruption|unable to read [0-9a-f]{40}|missing blob|missing tree/i,
    'SOURCE-CORRUPT',
  ],
];

/**
 * A failure of git on a source by its own code, where git's words tell one (they are English: LC_ALL=C); else the refusal as it is. What
 * has a code here is the same however often it is tried.
 */
export function sourceRefusal(refusal: SandboxRefusal): SandboxRefusal {
  if (refusal.code !== 'GIT-FAILED') return refusal;
  const found = words.find(([pattern]) => pattern.test(refusal.message));
  if (found === undefined) return refusal;
  const [, code, meaning] = found;
  return new SandboxRefusal(code, meaning ?? refusal.message.replace(/^GIT-FAILED: /, ''), { cause: refusal });
}
