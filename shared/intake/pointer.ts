/** A JSON pointer (RFC 6901 §3, §4) to a place in a value; "" is the whole of it. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
