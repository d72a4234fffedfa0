import type { RefusalDetail } from '../domain/refusal.ts';
import { pointerTo } from './pointer.ts';

/**
 * Control characters (but tab and line ends) and those that turn the direction of writing (Unicode UAX #9 §2: embeddings, overrides, isolates):
 * with them a text reads otherwise to the person who approves it than to the program that follows it.
 */
const HIDDEN = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/** Texts with hidden characters, one fault each. The input of a product line is left out: it holds code, which is shown as what it is. */
export function hiddenTextFaults({ line: _code, ...shown }: Readonly<Record<string, unknown>>): RefusalDetail[] {
  return [...faultsOf(shown, [])];
}

function* faultsOf(value: unknown, path: readonly (string | number)[]): Iterable<RefusalDetail> {
  if (typeof value === 'string') {
    const found = HIDDEN.exec(value)?.[0];
    if (found === undefined) return;
    const code = found.codePointAt(0)?.toString(16).padStart(4, '0').toUpperCase();
    yield {
      pointer: pointerTo(path),
      code: 'hidden_character',
      message: `The text holds U+${code}, which is not seen and changes how it reads. Remove it.`,
    };
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value))
      yield* faultsOf(child, [...path, key]);
  }
}
