const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/u;
const GIT_HEADER = /^diff --git ("?)a\/.* \1b\/.*$/u;
const FILE_HEADER = /^(?:---|\+\+\+) (?:"?[ab]\/|\/dev\/null)/u;

/**
 * Why a text is not a unified diff in git's format, or undefined. One pass: each file begins with `diff --git a/… b/…` or
 * `--- a/…`; each hunk holds as many lines as its header says, so a diff that was cut off or edited by hand is found here and
 * not after a sandbox was started. Whether it applies is the station's to find out.
 */
export function patchFault(patch: string): string | undefined {
  const lines = patch.split('\n');
  let files = 0;
  let changes = 0;
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(/\r$/u, '');
    if (GIT_HEADER.test(line)) files++;
    else if (line.startsWith('diff --git '))
      return `Line ${at + 1} names no files with the prefixes a/ and b/. Make the patch with "git diff".`;
    else if (line.startsWith('--- ') && (lines[at + 1] ?? '').startsWith('+++ ')) {
      if (!FILE_HEADER.test(line) || !FILE_HEADER.test(lines[at + 1] ?? ''))
        return `Line ${at + 1} names no files with the prefixes a/ and b/. Make the patch with "git diff".`;
      files++;
      at++;
    } else if (/^(GIT binary patch$|(new|deleted) file mode|old mode|rename from|Binary files )/u.test(line)) changes++;
    else if (line.startsWith('@@')) {
      const end = endOfHunk(lines, at);
      if (end === undefined)
        return `The hunk in line ${at + 1} does not hold as many lines as it says. The patch was cut off or edited; make it again.`;
      if (files === 0) return `The hunk in line ${at + 1} belongs to no file. Make the patch with "git diff".`;
      changes++;
      at = end;
    }
  }
  if (files === 0) return 'It is not a unified diff: no file is named. Make it with "git diff".';
  return changes === 0 ? 'The patch names files and changes nothing in them. Make it with "git diff".' : undefined;
}

/** The last line of the hunk that begins here; undefined when its lines are not as many as it says. */
function endOfHunk(lines: readonly string[], start: number): number | undefined {
  const counts = HUNK.exec(lines[start] ?? '');
  if (counts === null) return undefined;
  let before = Number(counts[1] ?? 1);
  let after = Number(counts[2] ?? 1);
  let at = start;
  while (before > 0 || after > 0) {
    at++;
    const sign = lines[at]?.[0];
    if (sign === '+') after--;
    else if (sign === '-') before--;
    else if (sign === ' ' || (lines[at] === '' && at < lines.length - 1) || lines[at] === '\r') {
      before--;
      after--;
    } else if (sign !== '\\') return undefined;
  }
  return before === 0 && after === 0 ? at : undefined;
}
