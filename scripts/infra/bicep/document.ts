import type { Node } from 'web-tree-sitter';
import { type Decorators, decoratorsOf } from './decorators.ts';
import { type Reference, referencesOf } from './references.ts';
import { parseBicep } from './syntax.ts';
import { type Type, typeOfNode } from './types.ts';
import { type Value, valueOfNode } from './value.ts';

type Declared = { readonly name: string; readonly line: number; readonly decorators: Decorators };

export type Resource = Declared & {
  readonly type: string;
  readonly version: string;
  readonly existing: boolean;
  readonly condition: string | undefined;
  /** What it is made once for each of, or undefined. */
  readonly loop: string | undefined;
  readonly body: Value;
};
export type Module = Declared & {
  readonly path: string;
  readonly condition: string | undefined;
  readonly loop: string | undefined;
  readonly body: Value;
};
export type Parameter = Declared & {
  readonly type: string;
  readonly shape: Type;
  readonly fallback: Value | undefined;
};
export type TypeDeclaration = Declared & { readonly shape: Type };
export type Variable = Declared & { readonly value: Value };
export type Output = Declared & { readonly type: string; readonly value: Value };

export type Import = { readonly file: string; readonly names: readonly string[]; readonly line: number };
/** A function of the templates' own, by how many arguments it takes. */
export type UserFunction = Declared & { readonly parameters: number };

/** What a template declares, and the names it uses. */
export type Document = {
  readonly file: string;
  readonly text: string;
  readonly scope: string;
  readonly using: string | undefined;
  readonly imports: readonly Import[];
  readonly resources: readonly Resource[];
  readonly modules: readonly Module[];
  readonly types: readonly TypeDeclaration[];
  readonly parameters: readonly Parameter[];
  readonly variables: readonly Variable[];
  readonly outputs: readonly Output[];
  readonly functions: readonly UserFunction[];
  /** Names that other files may import. */
  readonly exported: ReadonlySet<string>;
  readonly references: readonly Reference[];
};

const none: Decorators = new Map();

/** @throws SyntaxFault when the text does not parse. */
export async function readDocument(file: string, text: string): Promise<Document> {
  const root = await parseBicep(file, text);
  const resources: Resource[] = [];
  const modules: Module[] = [];
  const types: TypeDeclaration[] = [];
  const parameters: Parameter[] = [];
  const variables: Variable[] = [];
  const outputs: Output[] = [];
  const imports: Import[] = [];
  const functions: UserFunction[] = [];
  const exported = new Set<string>();
  const references: Reference[] = [];
  let scope = 'resourceGroup';
  let using: string | undefined;
  let decorators = none;
  for (const node of statements(root)) {
    references.push(...referencesOf(node));
    if (node.type === 'decorators') {
      decorators = decoratorsOf(node);
      continue;
    }
    const parts = node.namedChildren.filter((child) => !child.isExtra);
    const declared: Declared = { name: parts[0]?.text ?? '', line: node.startPosition.row + 1, decorators };
    if (decorators.has('export')) exported.add(declared.name);
    decorators = none;
    const last = parts.at(-1);
    if (node.type === 'target_scope_assignment') scope = stringOf(last);
    else if (node.type === 'using_statement') using = stringOf(last);
    else if (node.type === 'import_functionality') {
      const names = parts.slice(0, -1).map((part) => part.text);
      imports.push({ file: stringOf(last), names, line: declared.line });
    } else if (node.type === 'resource_declaration' && last !== undefined) {
      const [type = '', version = ''] = stringOf(parts[1]).split('@');
      const existing = node.children.some((child) => child.type === 'existing');
      resources.push({ ...declared, type, version, existing, ...unwrap(last) });
    } else if (node.type === 'module_declaration' && last !== undefined) {
      modules.push({ ...declared, path: stringOf(parts[1]), ...unwrap(last) });
    } else if (node.type === 'parameter_declaration') {
      const fallback = parts[2] === undefined ? undefined : valueOfNode(parts[2]);
      const shape: Type = parts[1] === undefined ? { kind: 'any' } : typeOfNode(parts[1]);
      parameters.push({ ...declared, type: parts[1]?.text ?? '', shape, fallback });
    } else if (node.type === 'user_defined_function') {
      functions.push({ ...declared, parameters: node.descendantsOfType('parameter').length });
    } else if (node.type === 'type_declaration' && last !== undefined) {
      types.push({ ...declared, shape: typeOfNode(last) });
    } else if (node.type === 'variable_declaration' && last !== undefined) {
      variables.push({ ...declared, value: valueOfNode(last) });
    } else if (node.type === 'output_declaration' && last !== undefined) {
      outputs.push({ ...declared, type: parts[1]?.text ?? '', value: valueOfNode(last) });
    }
  }
  const declares = { resources, modules, types, parameters, variables, outputs, functions };
  return { file, text, scope, using, imports, ...declares, exported, references };
}

function* statements(root: Node): Generator<Node> {
  for (const child of root.namedChildren) if (!child.isExtra) yield child;
}

const stringOf = (node: Node | undefined): string => node?.text.slice(1, -1) ?? '';

/** The object of a resource or module, out of its loop and condition. */
function unwrap(node: Node): Pick<Resource, 'body' | 'condition' | 'loop'> {
  let inner = node;
  let loop: string | undefined;
  let condition: string | undefined;
  if (inner.type === 'for_statement') {
    const body = inner.childForFieldName('body');
    loop = inner.namedChildren.filter((child) => !child.isExtra).at(-2)?.text;
    inner = body ?? inner;
  }
  if (inner.type === 'if_statement') {
    condition = inner.namedChildren[0]?.text.slice(1, -1);
    inner = inner.namedChildren.at(-1) ?? inner;
  }
  return { body: valueOfNode(inner), condition, loop };
}
