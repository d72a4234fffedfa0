import type { RefusalDetail } from '../domain/refusal.ts';
import { codePointName, hiddenIn, kindOfHidden, revealed } from '../domain/text/hidden.ts';
import { pointerTo } from './pointer.ts';

/**
 * Texts with hidden characters, one fault each: such a text reads otherwise to the person who approves it than to the program that
 * follows it. The input of a product line is left out: it holds code, in which they raise the risk and are shown.
 */
export function hiddenTextFaults({ line: _code, ...shown }: Readonly<Record<string, unknown>>): RefusalDetail[] {
  return [...faultsOf(shown, [])];
}

function* faultsOf(value: unknown, path: readonly (string | number)[]): Iterable<RefusalDetail> {
  if (typeof value === 'string') {
    const [found] = hiddenIn(value);
    if (found === undefined) return;
    const { codePoint } = found;
    yield {
      pointer: pointerTo(path),
      code: 'hidden_character',
      message: `The text holds ${codePointName(codePoint)}, ${kindOfHidden(codePoint)}, which is not seen and changes how it reads: ${JSON.stringify(revealed(value.slice(Math.max(0, found.index - 20), found.index + 20)))}. Remove it.`,
    };
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value))
      yield* faultsOf(child, [...path, key]);
  }
}
