import { styleText } from 'node:util';
import { revealed } from '../../shared/domain/text/hidden.ts';

type Style = Parameters<typeof styleText>[0];

/** Whether a person is at the other end, for questions and moving lines. */
export const interactive = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

/** Colours a text on a terminal only; `styleText` heeds NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR. */
export const styled = (style: Style, text: string): string =>
  process.stdout.isTTY === true ? styleText(style, text, { stream: process.stdout }) : text;

export const bold = (text: string): string => styled('bold', text);
export const dim = (text: string): string => styled('dim', text);

/** Text of others (a goal, a reason, a log): characters that could rewrite the terminal, or are not seen, show as `⟨U+001B⟩`. */
export const plainText = (text: string): string => revealed(text.replaceAll('\r\n', '\n')).replaceAll('\r', '⟨U+000D⟩');

let text: NodeJS.WriteStream = process.stdout;

/** Keeps standard output for the JSON of the answer: what is said to people goes to standard error from now on. */
export function answerInJson(): void {
  text = process.stderr;
}

export function print(line = ''): void {
  text.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Something said beside the answer: on standard error, so that a pipe gets the answer alone. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
