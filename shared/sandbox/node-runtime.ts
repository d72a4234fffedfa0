import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The Node that tools run with inside: the product's own, so that evidence can name it. */
export type NodeRuntime = {
  /** Host file or directory → place inside; empty when Node lives under /usr, which is visible anyway. */
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  readonly links: readonly { readonly at: string; readonly to: string }[];
  /** Comes first in PATH. */
  readonly binDirectory: string;
};

/** Where the running Node, and the npm installed beside it if there is one, appear inside. */
export function nodeRuntime(executable: string = process.execPath): NodeRuntime {
  const file = realpathSync(executable);
  if (file.startsWith('/usr/')) return { mounts: [], links: [], binDirectory: dirname(file) };
  const npm = join(dirname(file), '../lib/node_modules/npm');
  const hasNpm = existsSync(join(npm, 'bin/npm-cli.js'));
  return {
    mounts: [
      { source: file, target: '/opt/node/bin/node' },
      ...(hasNpm ? [{ source: realpathSync(npm), target: '/opt/node/lib/node_modules/npm' }] : []),
    ],
    links: hasNpm
      ? [
          { at: '/opt/node/bin/npm', to: '../lib/node_modules/npm/bin/npm-cli.js' },
          { at: '/opt/node/bin/npx', to: '../lib/node_modules/npm/bin/npx-cli.js' },
        ]
      : [],
    binDirectory: '/opt/node/bin',
  };
}
