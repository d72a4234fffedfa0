import { Refusal, type RefusalDetail } from '../domain/refusal.ts';
import { plainValueFault } from './plain-value.ts';
import { textOf } from './text.ts';

export type ParseLimits = { readonly maxDepth: number; readonly maxBytes: number };

/**
 * JSON (RFC 8259) with bounds, for every body that comes from outside. Refuses with 413 `FACTORY-BODY-TOO-LARGE` before anything
 * is read, and with 400 `FACTORY-JSON-INVALID` what is not UTF-8 or not JSON, is nested deeper than `maxDepth`, or names a key
 * twice in one object (RFC 8259 §4 leaves that open, so two readers can see two documents).
 */
export function parseJsonBounded(bytes: Uint8Array, limits: ParseLimits): unknown {
  if (bytes.byteLength > limits.maxBytes) {
    throw new Refusal(
      413,
      'FACTORY-BODY-TOO-LARGE',
      `The body has ${bytes.byteLength} bytes; the limit is ${limits.maxBytes}. Send less, or upload an artifact and refer to it.`,
    );
  }
  const read = readJson(bytes, limits.maxDepth);
  if ('fault' in read)
    throw new Refusal(400, 'FACTORY-JSON-INVALID', `The body can't be read: ${read.fault.message}`, {
      details: [read.fault],
    });
  return read.value;
}

/** As `parseJsonBounded`, with the fault as a value; the size is the caller's to check. */
export function readJson(bytes: Uint8Array, maxDepth: number): { value: unknown } | { fault: RefusalDetail } {
  const decoded = textOf(bytes);
  if ('fault' in decoded) return decoded;
  const structure = structureFault(decoded.text, maxDepth);
  if (structure !== undefined) return { fault: structure };
  let value: unknown;
  try {
    value = JSON.parse(decoded.text);
  } catch (error) {
    const where =
      error instanceof Error ? (/at position \d+( \(line \d+ column \d+\))?/.exec(error.message)?.[0] ?? '') : '';
    return {
      fault: {
        pointer: '',
        code: 'syntax',
        message: `It is not JSON${where === '' ? '' : ` (${where})`}. Correct the syntax.`,
      },
    };
  }
  const fault = plainValueFault(value, maxDepth);
  return fault === undefined ? { value } : { fault };
}

/**
 * One pass over the characters, without recursion, before the parser sees them: depth, and keys used twice. Text that is not
 * JSON may pass; the parser refuses it then.
 */
function structureFault(text: string, maxDepth: number): RefusalDetail | undefined {
  const open: (Set<string> | null)[] = [];
  let keyMayFollow = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_OBJECT:
      case OPEN_ARRAY: {
        const object = text.charCodeAt(at) === OPEN_OBJECT;
        open.push(object ? new Set() : null);
        if (open.length > maxDepth)
          return { pointer: '', code: 'too_deep', message: `It is nested deeper than ${maxDepth} levels. Flatten it.` };
        keyMayFollow = object;
        break;
      }
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
        keyMayFollow = false;
        break;
      case COMMA:
        keyMayFollow = open.at(-1) instanceof Set;
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        const keys = open.at(-1);
        if (keyMayFollow && keys instanceof Set) {
          const key = keyOf(text.slice(at, end + 1));
          if (keys.has(key))
            return {
              pointer: '',
              code: 'duplicate_key',
              message: `The key ${JSON.stringify(key.slice(0, 100))} appears twice in one object. Keep one.`,
            };
          keys.add(key);
        }
        keyMayFollow = false;
        at = end;
        break;
      }
    }
  }
  return undefined;
}

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

/** `"a"` and `"\u0061"` are one key. */
function keyOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}
