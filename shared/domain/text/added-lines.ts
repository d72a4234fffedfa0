/** A line that a unified diff adds, at its place in the new file. */
export type AddedLine = { readonly path: string; readonly line: number; readonly text: string };

/** The added lines of a unified diff, in its order. What is no diff has none; lines are counted by the hunks' headers. */
export function* addedLines(patch: string): Generator<AddedLine> {
  let path = '';
  let line = 0;
  let [olds, news] = [0, 0];
  for (const text of patch.split('\n')) {
    if (olds > 0 || news > 0) {
      const [mark] = text;
      if (mark === '+') {
        yield { path, line, text: text.slice(1) };
        news -= 1;
        line += 1;
      } else if (mark === '-') olds -= 1;
      else if (mark !== '\\') {
        olds -= 1;
        news -= 1;
        line += 1;
      }
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
    if (hunk !== null) {
      olds = Number(hunk[1] ?? 1);
      line = Number(hunk[2]);
      news = Number(hunk[3] ?? 1);
    } else if (text.startsWith('+++ '))
      path = text
        .slice(4)
        .replace(/^"?b\//, '')
        .replace(/["\r]$/, '');
  }
}
