/** What a package's declarations say of the types of properties. */
export type Declarations = {
  /** The values that a property of an interface takes, when it is one of a list. */
  readonly valuesOf: (owner: string, property: string) => readonly string[] | undefined;
  /** The interface that a serializer takes. */
  readonly takenBy: (serializer: string) => string | undefined;
};

/** Reads declaration files as the generators of these packages write them: one property a line, enums of known values beside an alias of string. */
export function readDeclarations(source: string): Declarations {
  const text = /^export (?:declare )?interface .*\n(?: {2}\/\*.*\n)* {2}\w/m.test(source)
    ? source.replace(/^ +/gm, (indent) => indent + indent)
    : source;
  const interfaces = new Map<string, { readonly parents: readonly string[]; readonly types: Map<string, string> }>();
  for (const [, name = '', parents = '', body = ''] of text.matchAll(
    /^export (?:declare )?interface (\w+)(?: extends ([\w, ]+))? \{\n([\s\S]*?)^\}/gm,
  )) {
    const types = new Map(
      [...body.matchAll(/^ {4}(?:readonly )?"?([\w.$]+)"?\??: ([^;]+);/gm)].map(([, property = '', type = '']) => [
        property,
        type,
      ]),
    );
    if (!interfaces.has(name)) interfaces.set(name, { parents: parents.split(', ').filter(Boolean), types });
  }
  const literals = (type: string): readonly string[] | undefined => {
    const found = [...type.matchAll(/"([^"]*)"/g)].map(([, value = '']) => value);
    return found.length > 0 && /^(?:"[^"]*"(?: \| )?)+(?:\[\])?$/.test(type.trim().replace(/^\(|\)(\[\])?$/g, ''))
      ? found
      : undefined;
  };
  const enums = new Map<string, readonly string[]>();
  for (const [, name = '', body = ''] of text.matchAll(/^export (?:declare )?enum (?:Known)?(\w+) \{\n([\s\S]*?)^\}/gm))
    if (!enums.has(name))
      enums.set(
        name,
        [...body.matchAll(/^ {4}.* = "([^"]*)"/gm)].map(([, value = '']) => value),
      );
  for (const [, name = '', type = ''] of text.matchAll(/^export (?:declare )?type (\w+) = ([^;]+);/gm)) {
    const values = literals(type);
    if (values !== undefined && !enums.has(name)) enums.set(name, values);
  }
  const typeOf = (owner: string, property: string): string | undefined => {
    const found = interfaces.get(owner);
    return found?.types.get(property) ?? found?.parents.map((parent) => typeOf(parent, property)).find(Boolean);
  };
  const takers = new Map(
    [...text.matchAll(/^export declare function (\w+)\(item: (\w+)/gm)].map(([, name = '', type = '']) => [name, type]),
  );
  return {
    valuesOf(owner, property) {
      const type = typeOf(owner, property);
      return type === undefined ? undefined : (literals(type) ?? enums.get(type.replace(/\[\]$/, '')));
    },
    takenBy: (serializer) => takers.get(serializer),
  };
}
