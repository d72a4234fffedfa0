/** An IPv4 range in CIDR form as its first and last address. @throws Error when it is none. */
export function rangeOf(text: string): { readonly first: number; readonly last: number } {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const [a, b, c, d, bits] = (found ?? []).slice(1).map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined || bits === undefined || bits > 32)
    throw new Error(`${text} is no IPv4 range (CIDR)`);
  if ([a, b, c, d].some((part) => part > 255)) throw new Error(`${text} is no IPv4 range (CIDR)`);
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

/** Those of `ranges` that share an address with `own`. What is no IPv4 range (a network may have IPv6 ones) shares none. */
export function overlapping(own: string, ranges: readonly string[]): readonly string[] {
  const mine = rangeOf(own);
  return ranges.filter((text) => {
    if (text.includes(':')) return false;
    const other = rangeOf(text);
    return mine.first <= other.last && other.first <= mine.last;
  });
}
