/**
 * Characters that a reader does not see, or that change how the text around them reads (Unicode: default-ignorable code points, UAX #9
 * bidirectional controls, control characters, line separators). Where a script or an emoji needs one, it is no hidden character.
 */
export type HiddenCharacter = {
  /** UTF-16 code units before it. */
  readonly index: number;
  readonly codePoint: number;
};

const candidate = /[\p{DI}\p{Cc}\u2028\u2029\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu;
const rightToLeft = /(?!\p{DI})[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Scripts in which joiners choose between forms of a letter (Unicode 16 §23.2). */
const joining =
  /(?!\p{DI})[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u;
const pictured = /\p{ExtPict}|\p{Emoji_Modifier}|\uFE0F/u;
const pictograph = /\p{ExtPict}/u;
const emoji = /\p{Emoji}/u;
const varying = /\p{Script=Han}|(?!\p{ASCII})\p{Sm}/u;
const mongolian = /(?!\p{DI})\p{Script=Mongolian}/u;
const word = /[\p{L}\p{M}]/u;
/** A flag of a part of a country is spelt in invisible tags (UTS #51 §C.1). */
const flag = /\u{1F3F4}[\u{E0020}-\u{E007E}]{1,16}\u{E007F}/gu;

const implicitMarks: ReadonlySet<number> = new Set([0x200e, 0x200f, 0x061c]);
const between = (code: number, from: number, to: number): boolean => code >= from && code <= to;

/** Hidden characters of a text, in its order. */
export function hiddenIn(text: string): HiddenCharacter[] {
  const found: HiddenCharacter[] = [];
  const lines = lineDirections(text);
  const flags = [...text.matchAll(flag)].map((match) => [match.index, match.index + match[0].length] as const);
  for (const { 0: character, index } of text.matchAll(candidate)) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (isNeeded(text, index, codePoint)) continue;
    if (implicitMarks.has(codePoint) && lines(index)) continue;
    if (codePoint > 0xe0000 && flags.some(([start, end]) => index > start && index < end)) continue;
    found.push({ index, codePoint });
  }
  return found;
}

/** Whether a character of the kind belongs where it stands. */
function isNeeded(text: string, index: number, code: number): boolean {
  const before = previous(text, index);
  const after = String.fromCodePoint(text.codePointAt(index + (code > 0xffff ? 2 : 1)) ?? 0x20);
  if (code === 0x09 || code === 0x0a) return true;
  if (code === 0x0d) return after === '\n' || index + 1 === text.length;
  // A page break on a line of its own, as old sources have it.
  if (code === 0x0c) return (before === '\n' || before === '') && (/^[\r\n]$/.test(after) || index + 1 === text.length);
  if (code === 0xfeff) return index === 0;
  if (code === 0xfe0e || code === 0xfe0f) return emoji.test(before);
  if (between(code, 0xfe00, 0xfe0d) || between(code, 0xe0100, 0xe01ef)) return varying.test(before);
  if (between(code, 0x180b, 0x180f)) return mongolian.test(before);
  if (code === 0x200d) return (pictured.test(before) && pictograph.test(after)) || joining.test(before);
  if (code === 0x200c) return joining.test(before) && word.test(after);
  return false;
}

function previous(text: string, index: number): string {
  if (index === 0) return '';
  const low = text.charCodeAt(index - 1);
  return text.slice(between(low, 0xdc00, 0xdfff) && index > 1 ? index - 2 : index - 1, index);
}

/** Whether the line of a place holds letters that are written from right to left; places are asked in their order. */
function lineDirections(text: string): (index: number) => boolean {
  let end = -1;
  let answer = false;
  return (index) => {
    if (index <= end) return answer;
    const start = text.lastIndexOf('\n', index) + 1;
    const next = text.indexOf('\n', index);
    end = next < 0 ? text.length : next;
    answer = rightToLeft.test(text.slice(start, end));
    return answer;
  };
}

/** A code point as Unicode writes it: `U+202E`. */
export const codePointName = (code: number): string => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;

/** A character in a form that can be seen and not mistaken: `⟨U+202E⟩`. */
export const visibleForm = (character: string): string => `⟨${codePointName(character.codePointAt(0) ?? 0)}⟩`;

/** What a hidden character is, in words. */
export function kindOfHidden(code: number): string {
  if (between(code, 0x202a, 0x202e) || between(code, 0x2066, 0x2069) || implicitMarks.has(code))
    return 'a bidirectional control';
  if (code < 0x20 || between(code, 0x7f, 0x9f)) return 'a control character';
  return 'an invisible character';
}

/** A text of others as it is shown to people anywhere: every hidden character in its visible form, nothing left out. */
export function revealed(text: string): string {
  const parts: string[] = [];
  let end = 0;
  for (const { index, codePoint } of hiddenIn(text)) {
    parts.push(text.slice(end, index), visibleForm(String.fromCodePoint(codePoint)));
    end = index + (codePoint > 0xffff ? 2 : 1);
  }
  return end === 0 ? text : [...parts, text.slice(end)].join('');
}
