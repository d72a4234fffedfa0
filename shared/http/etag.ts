/** A strong entity tag (RFC 9110 §8.8.3) of anything that changes with its version. */
export const entityTag = (...parts: readonly (string | number)[]): string => `"${parts.join('.')}"`;

/** Whether the caller has this version already (`If-None-Match`, RFC 9110 §13.1.2; tags are compared weakly there). */
export function hasCurrent(headers: Headers, tag: string): boolean {
  const given = headers.get('if-none-match');
  if (given === null) return false;
  return given.split(',').some((one) => {
    const text = one.trim();
    return text === '*' || text === tag || text === `W/${tag}`;
  });
}
