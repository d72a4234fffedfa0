import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { promisify } from 'node:util';
import type { LimitKind, ProbeResult, SandboxResult, SandboxRun } from '../driver.ts';
import { defaultSandboxLimits } from '../limits.ts';
import { parseVersions, versionScript } from '../probe-versions.ts';
import { limitTools } from '../running/limit-command.ts';
import { bubblewrapPath } from './arguments.ts';
import { stagingTools } from './staging.ts';

/** Runs a real sandbox, and says in words what the machine lacks when that fails. */
export async function probeBubblewrap(
  run: (run: SandboxRun) => Promise<SandboxResult>,
  limits: LimitKind,
): Promise<ProbeResult> {
  const tools = [
    bubblewrapPath,
    ...Object.values(limitTools),
    ...(process.getuid?.() === 0 ? Object.values(stagingTools) : []),
  ];
  const missing = tools.filter((path) => !isExecutable(path));
  if (process.platform !== 'linux') return unusable(`bubblewrap needs Linux, this is ${process.platform}`);
  if (missing.length > 0) {
    return unusable(`${missing.join(' and ')} not found; install the packages bubblewrap and util-linux`);
  }
  try {
    const result = await run({
      argv: ['/bin/sh', '-c', versionScript],
      workingDirectory: '/',
      mounts: [],
      environment: {},
      limits: { ...defaultSandboxLimits, wallMs: 20_000 },
    });
    const text = new TextDecoder().decode(result.stdout);
    if (result.exitCode !== 0)
      return unusable(`a trial run ended with ${result.exitCode ?? result.endedBy}: ${reason(result.stderr)}`);
    const bubblewrap = (await promisify(execFile)(bubblewrapPath, ['--version'])).stdout
      .trim()
      .replace('bubblewrap ', '');
    return {
      usable: true,
      identity: { kind: 'bubblewrap', isolation: 'isolated', limits, versions: { ...parseVersions(text), bubblewrap } },
    };
  } catch (error) {
    return unusable(explain(error instanceof Error ? error.message : String(error)));
  }
}

function explain(message: string): string {
  if (/unshare: .*Operation not permitted/i.test(message)) {
    return `${message}. This root lacks CAP_SYS_ADMIN (a container's usual state): run the worker as an ordinary user where user namespaces are allowed`;
  }
  if (
    /No permissions to create new namespace|setting up uid map|Creating new namespace failed|Operation not permitted/i.test(
      message,
    )
  ) {
    return `${message}. Unprivileged user namespaces are refused here: look at the container's seccomp profile, kernel.unprivileged_userns_clone, user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns`;
  }
  return message;
}

function reason(stderr: Uint8Array): string {
  return new TextDecoder().decode(stderr).trim().slice(-300);
}

function unusable(text: string): ProbeResult {
  return { usable: false, kind: 'bubblewrap', reason: text };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
