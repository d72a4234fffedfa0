/**
 * Faults of old commits, tags and trees that git's strict check (git-fsck(1), "fsck messages") reports and that the large code hosts take:
 * headers that early versions of git and importers wrote. None of them changes what a tree holds or where a checkout writes. Everything
 * that could (names that pass for .git, `..`, links and addresses in .gitmodules, entries twice or out of order) stays refused.
 */
const tolerated = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badFilemode',
  'badName',
  'badTagName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTaggerEntry',
  'multipleAuthors',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
] as const;

/** For `git fetch` (git-config(1), fetch.fsck.<msg-id>). */
export const fetchTolerance: Readonly<Record<string, string>> = Object.fromEntries(
  tolerated.map((message) => [`fetch.fsck.${message}`, 'ignore']),
);

/** For `git index-pack` (git-index-pack(1), --strict). */
export const strictTolerance: string = `--strict=${tolerated.map((message) => `${message}=ignore`).join(',')}`;
