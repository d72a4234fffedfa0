/**
 * Names in patches, as text of one character a byte (latin-1), so that names that are not UTF-8 survive. Git quotes a name that holds
 * quotation marks, backslashes, control characters or bytes beyond ASCII as a C string (git-config(1), core.quotePath).
 */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
};

/** The quoted name that a text begins with and where it ends; undefined when it begins with none. */
export function readQuoted(text: string): { readonly name: string; readonly end: number } | undefined {
  if (text[0] !== '"') return undefined;
  let name = '';
  for (let at = 1; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"') return { name, end: at + 1 };
    if (character !== '\\') {
      name += character;
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(at + 1, at + 4))?.[0];
    const plain = ESCAPES[text[at + 1] ?? ''];
    if (octal === undefined && plain === undefined) return undefined;
    name += octal === undefined ? plain : String.fromCharCode(Number.parseInt(octal, 8));
    at += octal === undefined ? 1 : 3;
  }
  return undefined;
}

/** A name that fills a text, quoted or plain; undefined when what is quoted does not end where the text does. */
export function readName(text: string): string | undefined {
  if (text[0] !== '"') return text === '' ? undefined : text;
  const read = readQuoted(text);
  return read !== undefined && read.end === text.length ? read.name : undefined;
}

/** A name as a patch's header holds it: quoted where it has to be. */
export function writeName(name: string): string {
  if (!/[^\x20-\x7e]|["\\]/.test(name)) return name;
  const escaped = name.replace(/[^\x20-\x7e]|["\\]/g, (byte) =>
    byte === '"' || byte === '\\' ? `\\${byte}` : `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

/** A name for people: its bytes as UTF-8, with what can't be printed escaped. */
export function showName(name: string): string {
  const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0));
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text) ? writeName(name) : text;
  } catch {
    return writeName(name);
  }
}
