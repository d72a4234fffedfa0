import type { ProbeResult, SandboxDriver, SandboxHandle, SandboxRun } from '../driver.ts';
import { defaultSandboxLimits } from '../limits.ts';
import { parseVersions, versionScript } from '../probe-versions.ts';
import { SandboxRefusal } from '../refusal.ts';
import { type RunTimes, runInSession, runTimes } from './run-in-session.ts';
import { type PoolTimes, poolTimes, type SessionCredential, sessionPool } from './session-pool.ts';

/**
 * The driver of Azure Container Apps dynamic sessions: each run in a virtual machine of its own, without a network and without an identity, ended with the run. It runs
 * on no file system of this machine: mounts are brought there, and what a program that ended by itself changed in the read-write ones is brought back.
 */
export function sessionsDriver(configuration: {
  /** The pool's management endpoint. */
  readonly endpoint: string;
  readonly credential: SessionCredential;
  readonly times?: PoolTimes & RunTimes;
}): SandboxDriver {
  const times = configuration.times ?? { ...poolTimes, ...runTimes };
  const sessionOf = sessionPool(configuration.endpoint, configuration.credential, times);
  let agent = '';
  let usable: ProbeResult | undefined;
  const start = async (run: SandboxRun): Promise<SandboxHandle> =>
    runInSession(run, sessionOf, times, (version) => {
      agent = version;
    });
  const run = async (program: SandboxRun) => (await start(program)).exited;
  const probe = async (): Promise<ProbeResult> => {
    const unusable = (reason: string): ProbeResult => ({ usable: false, kind: 'sessions', reason });
    try {
      const trial = await run({
        argv: ['/bin/sh', '-c', versionScript],
        workingDirectory: '/',
        mounts: [],
        environment: {},
        limits: { ...defaultSandboxLimits, wallMs: 20_000 },
      });
      if (trial.exitCode !== 0) {
        const said = new TextDecoder().decode(trial.stderr).trim().slice(-300);
        return unusable(`a trial run ended with ${trial.exitCode ?? trial.endedBy}: ${said}`);
      }
      const versions = { ...parseVersions(new TextDecoder().decode(trial.stdout)), sessions: agent };
      return { usable: true, identity: { kind: 'sessions', isolation: 'isolated', limits: 'rlimit', versions } };
    } catch (error) {
      if (!(error instanceof SandboxRefusal) || PASSING.has(error.code)) throw error;
      return unusable(error.message);
    }
  };
  return {
    kind: 'sessions',
    isolation: 'isolated',
    fileOwner: null,
    start,
    run,
    // Only a good answer is kept: a pool at fault, or its role that is missing, is corrected outside of this process.
    async probe() {
      if (usable !== undefined) return usable;
      const probed = await probe();
      if (probed.usable) usable = probed;
      return probed;
    },
  };
}

/** Says nothing of whether the pool can be used: the job is tried again. */
const PASSING: ReadonlySet<string> = new Set(['SANDBOX-POOL-BUSY', 'SANDBOX-SESSION-LOST']);
