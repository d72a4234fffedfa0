/** Runs inside the sandbox: a file of the working directory as text that gives the same bytes when it is written again. */
import { lstatSync, readFileSync } from 'node:fs';

/** Bytes of a file that is parsed: beyond them a syntax tree takes more memory than the sandbox has. */
const parsedBytes = 4 * 1024 * 1024;

export type Source =
  | { readonly kind: 'text'; readonly mark: string; readonly text: string }
  /** Bytes of a narrow encoding, one character each: good to look at, not to write again. */
  | { readonly kind: 'bytes'; readonly text: string }
  /** What can't be parsed, and its text where it can be told. */
  | { readonly kind: 'unread'; readonly why: string; readonly text: string | undefined };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const byteOrderMark = '\u{FEFF}';

export function readSource(path: string): Source {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile())
    return { kind: 'unread', why: 'it is delivered unchanged and was not checked out', text: undefined };
  const bytes = readFileSync(path);
  if (bytes.includes(0)) {
    const little = bytes[0] === 0xff || bytes[1] === 0;
    const text = new TextDecoder(little ? 'utf-16le' : 'utf-16be').decode(bytes);
    return { kind: 'unread', why: 'it is not UTF-8', text: text + bytes.toString('latin1') };
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { kind: 'bytes', text: bytes.toString('latin1') };
  }
  if (bytes.length > parsedBytes)
    return { kind: 'unread', why: `it has ${bytes.length} bytes, more than are parsed`, text };
  return text.startsWith(byteOrderMark)
    ? { kind: 'text', mark: byteOrderMark, text: text.slice(1) }
    : { kind: 'text', mark: '', text };
}
