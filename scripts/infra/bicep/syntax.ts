import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

/** A file that does not parse: each place, so that one run names them all. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
}

let parser: Promise<Parser> | undefined;

/** The Bicep grammar compiled to WebAssembly: no native build, no network. */
async function bicepParser(): Promise<Parser> {
  await Parser.init();
  const grammar = createRequire(import.meta.url).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm');
  const made = new Parser();
  made.setLanguage(await Language.load(grammar));
  return made;
}

/**
 * Parses Bicep, or a parameter file. The grammar knows no `param name = value`, the form of parameter files, and is laxer
 * than the compiler about line ends: what passes here may still fail `bicep build`, what fails here is wrong or outside the subset we keep to.
 *
 * @throws SyntaxFault with file, line and column of each fault.
 */
export async function parseBicep(file: string, text: string): Promise<Node> {
  parser ??= bicepParser();
  const readable = file.endsWith('.bicepparam') ? text.replace(/^param (\w+) =/gm, 'var   $1 =') : text;
  const tree = (await parser).parse(readable);
  if (tree === null) throw new SyntaxFault(`${file}: could not be parsed`);
  const faults: string[] = [];
  const visit = (node: Node): void => {
    if (node.isError || node.isMissing) {
      const { row, column } = node.startPosition;
      faults.push(`${file}:${row + 1}:${column + 1}: ${node.isMissing ? 'something is missing' : 'not understood'}`);
    }
    if (node.hasError) for (const child of node.children) visit(child);
  };
  visit(tree.rootNode);
  if (faults.length > 0) throw new SyntaxFault(faults.join('\n'));
  return tree.rootNode;
}
