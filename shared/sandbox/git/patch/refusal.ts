import { SandboxRefusal } from '../../refusal.ts';

/** What git said of a patch that it did not apply, as a refusal with the file. */
export function patchRefusal(stderr: string): SandboxRefusal {
  const said = stderr
    .trim()
    .replace(/^error: /gm, '')
    .split('\n')
    .slice(0, 5)
    .join('; ')
    .slice(0, 600);
  // git's own words for .git, `..` and what passes for them (git: path.c, verify_path).
  const forbidden = /error: invalid path '(.*)'/.exec(stderr)?.[1];
  if (forbidden !== undefined)
    return new SandboxRefusal('TREE-NAME-REFUSED', 'the patch names a path that no tree may hold', { path: forbidden });
  const place = /patch failed: (.+):(\d+)/.exec(stderr);
  const file =
    place?.[1] ??
    /error: (.+?): (?:does not exist in index|already exists in index|patch does not apply|does not match index|wrong type|invalid path)/.exec(
      stderr,
    )?.[1];
  if (place !== null)
    return new SandboxRefusal(
      'PATCH-DOES-NOT-APPLY',
      `the hunk at line ${place[2] ?? '?'} does not fit: ${said}`,
      file === undefined ? {} : { path: file },
    );
  if (file !== undefined) return new SandboxRefusal('PATCH-DOES-NOT-APPLY', said, { path: file });
  return new SandboxRefusal('PATCH-MALFORMED', `git can't read the patch: ${said}`);
}
