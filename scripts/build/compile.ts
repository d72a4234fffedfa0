import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Compiles everything that a package may hold to JavaScript below `out`, at the path that its source has in the project. */
export function compile(root: string, out: string): void {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json'), '--outDir', out], {
    cwd: root,
    stdio: 'inherit',
  });
}

/** The path of a module once it is compiled. */
export const compiledName = (module: string): string => module.replace(/\.ts$/, '.js');
