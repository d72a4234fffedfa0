import type { RefusalDetail } from '../domain/refusal.ts';
import { pointerTo } from './pointer.ts';

/**
 * What keeps a parsed value from having one canonical form, or from being walked safely: deeper than `maxDepth`, a number that
 * JSON can't print, text with half a surrogate pair (two such texts have one digest), a key named `__proto__`. Walks without
 * recursion and stops at the first fault.
 */
export function plainValueFault(root: unknown, maxDepth: number): RefusalDetail | undefined {
  const open: { value: unknown; path: readonly (string | number)[] }[] = [{ value: root, path: [] }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, path } = item;
    const fault = ownFault(value);
    if (fault !== undefined) return { pointer: pointerTo(path), ...fault };
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= maxDepth)
      return {
        pointer: pointerTo(path.slice(0, 8)),
        code: 'too_deep',
        message: `The value is nested deeper than ${maxDepth} levels. Flatten it.`,
      };
    for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      if (key === '__proto__') return { pointer: pointerTo([...path, key]), ...PROTOTYPE };
      const keyFault = typeof key === 'string' ? ownFault(key) : undefined;
      if (keyFault !== undefined) return { pointer: pointerTo(path), ...keyFault };
      open.push({ value: child, path: [...path, key] });
    }
  }
  return undefined;
}

/** Never a field of anything, and no plain key of an object either. */
const PROTOTYPE = { code: 'unknown_field', message: 'There is no field "__proto__" here. Remove it.' };

function ownFault(value: unknown): { code: string; message: string } | undefined {
  if (typeof value === 'number' && !Number.isFinite(value))
    return { code: 'not_a_number', message: 'The number is infinite, undefined or too large. Write a finite number.' };
  if (typeof value === 'string' && !value.isWellFormed())
    return {
      code: 'malformed_text',
      message: 'The text holds half of a surrogate pair, which is no character. Correct the escape.',
    };
  return undefined;
}
