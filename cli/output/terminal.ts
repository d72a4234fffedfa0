import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Whether a person is at the other end, for questions and moving lines. */
export const interactive = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

/** Colours a text on a terminal only; `styleText` heeds NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR. */
export const styled = (style: Style, text: string): string =>
  process.stdout.isTTY === true ? styleText(style, text, { stream: process.stdout }) : text;

export const bold = (text: string): string => styled('bold', text);
export const dim = (text: string): string => styled('dim', text);

/** Text of others (a goal, a reason, a log) without the control characters that could rewrite the terminal. */
export const plainText = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');

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
