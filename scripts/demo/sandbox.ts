import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dim, print } from '../../cli/output/terminal.ts';
import type { SandboxName } from '../../cli/supervision/process-plans.ts';
import { bubblewrapDriver } from '../../shared/sandbox/bubblewrap/bubblewrap.ts';

const BWRAP = '/usr/bin/bwrap';
const INSTALL = ['apt-get', 'install', '-y', 'bubblewrap'];

/**
 * The sandbox this machine offers. bubblewrap is installed, visibly, when it is missing and this is root on Debian; where it
 * does not work, the demo's own repository, which is trusted, runs without isolation, and the evidence says so.
 */
export async function demoSandbox(): Promise<SandboxName> {
  if (!existsSync(BWRAP)) installBubblewrap();
  const probed = await bubblewrapDriver().probe();
  if (probed.usable) {
    print(`Sandbox: bubblewrap, ${probed.identity.isolation}.`);
    return 'bubblewrap';
  }
  print(`Sandbox: none. bubblewrap can't be used here: ${probed.reason}`);
  print(
    'The repository of this demo is its own and declares that it may run without isolation; the evidence will say so.',
  );
  return 'process';
}

function installBubblewrap(): void {
  const root = process.getuid?.() === 0;
  if (!root || !existsSync('/etc/debian_version')) {
    print(
      `bubblewrap is not installed. To run untrusted programs isolated: ${root ? '' : 'sudo '}${INSTALL.join(' ')}`,
    );
    return;
  }
  if (run(INSTALL)) return;
  // A fresh container has no package lists yet.
  if (run(['apt-get', 'update']) && run(INSTALL)) return;
  print('bubblewrap could not be installed; going on without it.');
}

function run([command = '', ...args]: readonly string[]): boolean {
  print(dim(`$ ${[command, ...args].join(' ')}`));
  return (
    spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0
  );
}
