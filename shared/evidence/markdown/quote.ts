import { revealed } from '../../domain/text/hidden.ts';

/**
 * Text that others wrote, shown in Markdown without any power. Escaping punctuation is not enough: code hosts look for mentions, issue
 * references and links in the rendered text, where an escape is already gone. They leave code alone, so all such text is set as code:
 * a span or fence longer than any run of backticks inside it (CommonMark 0.31 §6.1, §4.5).
 */

/** Longest text shown of one value, in UTF-16 code units; what is cut is in the artifact. */
const QUOTED_LENGTH = 1_500;

/** Control, format (bidirectional, invisible) and line-separating characters could make text look like other text. */
const visible = (text: string): string => revealed(text.toWellFormed());

const longestRun = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);

const cut = (text: string): string =>
  text.length <= QUOTED_LENGTH
    ? text
    : `${text.slice(0, QUOTED_LENGTH)} … (${text.length - QUOTED_LENGTH} more characters in the artifact)`;

/** One line as a code span. */
export function quoteSpan(text: string): string {
  const shown = visible(cut(text).replace(/[\t\n\f\r ]+/g, ' ')).trim();
  const fence = '`'.repeat(longestRun(shown) + 1);
  const pad = shown === '' || shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** Several lines as a fenced block. */
export function quoteBlock(text: string): string {
  const shown = visible(cut(text.replace(/\r\n?/g, '\n')));
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}text\n${shown}\n${fence}`;
}
