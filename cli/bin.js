#!/usr/bin/env node
// Runs the command line on the Node.js that npm installed with the project, whatever version started this file (20 or newer).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

function installedNode() {
  try {
    const folder = path.dirname(require.resolve('node/package.json'));
    return path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return undefined;
  }
}

const node = installedNode();
if (node === undefined || !existsSync(node)) {
  process.stderr.write('factory: the Node.js of the project is not installed. Run "npm ci" in its folder first.\n');
  process.exit(1);
}

const child = spawn(node, [path.join(import.meta.dirname, 'main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
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
