/** An expression of a compiled template (ARM template expressions: calls, literals, member access). */
export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly of: Expression; readonly index: Expression };

/** No compiled expression nests deeper; a file that does is not one. */
const DEEPEST = 100;

/** Whether a text of a template is an expression: `[` begins one, `[[` is a text that begins with a bracket. */
export const isExpression = (text: string): boolean =>
  text.startsWith('[') && !text.startsWith('[[') && text.endsWith(']');

/** Parses the inside of `[…]`. @throws Error that quotes what was not understood. */
export function parseExpression(source: string): Expression {
  let at = 0;
  const fail = (): never => {
    throw new Error(`not an expression of a compiled template: …${source.slice(Math.max(0, at - 20), at + 40)}`);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const space = (): void => void match(/\s*/y);
  const primary = (depth: number): Expression => {
    space();
    const text = match(/'(?:[^']|'')*'/y);
    if (text !== undefined) return { kind: 'text', text: text.slice(1, -1).replaceAll("''", "'") };
    const number = match(/-?\d+(?:\.\d+)?/y);
    if (number !== undefined) return { kind: 'number', text: number };
    const name = match(/[A-Za-z_][\w.]*/y) ?? fail();
    space();
    if (match(/\(/y) === undefined) return fail();
    const given: Expression[] = [];
    space();
    while (match(/\)/y) === undefined) {
      given.push(expression(depth + 1));
      space();
      match(/,/y);
      space();
    }
    return { kind: 'call', name, arguments: given };
  };
  const expression = (depth: number): Expression => {
    if (depth > DEEPEST || at >= source.length) return fail();
    let found = primary(depth);
    for (;;) {
      const member = match(/\.\w+/y);
      if (member !== undefined) found = { kind: 'member', of: found, name: member.slice(1) };
      else if (match(/\[/y) !== undefined) {
        found = { kind: 'item', of: found, index: expression(depth + 1) };
        space();
        if (match(/\]/y) === undefined) return fail();
      } else return found;
    }
  };
  const whole = expression(0);
  space();
  return at === source.length ? whole : fail();
}
