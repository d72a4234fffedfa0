import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type Import = {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly names: readonly string[];
  readonly line: number;
};
export type Source = { readonly path: string; readonly text: string; readonly imports: readonly Import[] };

/** `import … from '…'` and `export … from '…'`, over several lines as well; `import '…'`; `import('…')`. */
const IMPORT = /^(?:import|export)\s+(type\s)?([^'";]*?)from\s+'([^']+)';|^import\s+'([^']+)';|\bimport\('([^']+)'\)/gm;

/** Every TypeScript file of the project that git tracks or would track, with its imports. */
export function sources(root: string): Source[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((file) => file !== '' && !file.startsWith('examples/') && existsSync(path.join(root, file)))
    .map((file) => {
      const text = readFileSync(path.join(root, file), 'utf8');
      return sourceOf(file, text);
    });
}

/** A source file by its project path, with its imports. */
export function sourceOf(path: string, text: string): Source {
  return { path, text, imports: importsOf(text) };
}

function importsOf(text: string): Import[] {
  const imports: Import[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const specifier = match[3] ?? match[4] ?? match[5] ?? '';
    const clause = match[2] ?? '';
    const braces = /\{([^}]*)\}/s.exec(clause)?.[1] ?? '';
    const names = braces
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '))
      .map((name) => name.split(/\s+as\s+/)[0] ?? name);
    const line = text.slice(0, match.index).split('\n').length;
    imports.push({ specifier, typeOnly: match[1] !== undefined, names, line });
  }
  return imports;
}

/** The project path that a relative import names, or undefined for a package. */
export function target(source: Source, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return path.posix.normalize(path.posix.join(path.posix.dirname(source.path), specifier));
}
