#!/usr/bin/env node
// Runs the command line on the Node.js that npm installed with the project, whatever version started this file (20 or newer). Where
// the lockfile has none for this system, on the one that started it, when that is new enough.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const NEEDED = 24;
/** The program: TypeScript in the repository, compiled in a release. */
const [source, compiled] = ['main.ts', '../dist/package/cli/main.js'].map((file) =>
  path.join(import.meta.dirname, file),
);
const program = existsSync(source) ? source : compiled;
const require = createRequire(import.meta.url);

function installedNode() {
  try {
    const folder = path.dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`));
    const file = path.join(folder, 'bin', 'node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

const startedBy = Number(process.versions.node.split('.')[0]) >= NEEDED ? process.execPath : undefined;
const node = installedNode() ?? startedBy;
if (node === undefined) {
  process.stderr.write(
    `factory: the Node.js that comes with it is not installed. Install it again without --omit=optional ("npm ci" in the repository); on a system other than Linux on x64 or arm64, start it with Node.js ${NEEDED} or newer.\n`,
  );
  process.exit(1);
}

// With its modules compiled before, a process starts in two thirds of the processor's time. The cache goes with the installation;
// where that is another user's, nothing is kept.
const cache = path.join(
  import.meta.dirname,
  '..',
  program === source ? 'node_modules/.cache/compile' : '.cache/compile',
);
const child = spawn(node, [program, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: cache, ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`factory: ${node} could not be started: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
