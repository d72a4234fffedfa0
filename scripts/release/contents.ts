import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type RolePackage, reachedFrom } from '../build/package-of.ts';
import { sourceOf, sources } from '../lint/sources.ts';

/** The programs of a release: the command line with the plane that it runs, the app of every role, and the workers without a host. */
const ENTRIES = ['cli/main.ts', 'functions/main.ts', 'container/main.ts'];

/** Modules beside the examples' data; the other ones there serve demo and tests. */
const EXAMPLES = 'examples/make-repository.ts';

export type Contents = Pick<RolePackage, 'modules' | 'packages'> & { readonly files: readonly string[] };

/** What a release holds: what its programs reach, the definitions and examples that they read, and host.json. */
export function contentsOf(root: string): Contents {
  const known = [...sources(root), sourceOf(EXAMPLES, readFileSync(path.join(root, EXAMPLES), 'utf8'))];
  const { modules, assets, packages } = reachedFrom(ENTRIES, known);
  return { modules, packages, files: [...assets, ...dataOf(root), 'host.json'] };
}

/** What git has below the folders of data, so that nothing that lies about there is packed. */
function dataOf(root: string): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', 'definitions', 'examples'], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((file) => file !== '' && !/^examples\/[^/]+\.ts$/.test(file));
}
