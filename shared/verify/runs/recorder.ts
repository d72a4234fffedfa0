import { stripVTControlCharacters } from 'node:util';
import { digestOfBytes } from '../../domain/digest.ts';
import type { LineName } from '../../domain/packet/line-input.ts';
import type { SandboxResult } from '../../sandbox/driver.ts';
import type { Receipt } from '../receipt.ts';

const runsKept = 400;
const tailBytes = 16 * 1024;
const logBytes = 256 * 1024;

/** Gathers what was observed while the verifier ran programs: for the receipt's observations, and for the log people read. */
export type Recorder = {
  /** `plain` is the run as people read it, for the log. */
  record(of: string, result: SandboxResult, plain?: SandboxResult): void;
  /** Adds to the log what a run's own output does not say, such as a report's failed tests. */
  note(of: string, text: string): void;
  observations(line: LineName): Receipt['observations'];
  /** The tail of each run's output without terminal colours, oldest dropped first beyond 256 KiB. */
  log(): string;
};

export function createRecorder(now: () => Date = () => new Date()): Recorder {
  const startedAt = now();
  let latest = startedAt;
  const runs: Receipt['observations']['runs'] = [];
  const tails: string[] = [];
  return {
    record: (of, result, plain = result) => {
      latest = now();
      if (runs.length >= runsKept) return;
      runs.push({
        of: of.slice(0, 200),
        durationMs: Math.round(result.durationMs),
        endedBy: result.endedBy,
        stdout: { digest: digestOfBytes(result.stdout), bytes: result.stdout.byteLength },
        stderr: { digest: digestOfBytes(result.stderr), bytes: result.stderr.byteLength },
      });
      tails.push(
        `== ${of}: ${result.endedBy === 'itself' ? `exit ${result.exitCode ?? result.signal}` : `ended by ${result.endedBy}`}\n${tail(plain.stdout)}${tail(plain.stderr)}`,
      );
    },
    note: (of, text) => {
      latest = now();
      if (tails.length < runsKept) tails.push(`== ${of}: ${text}\n`);
    },
    observations: (lineName) => ({
      startedAt: startedAt.toISOString(),
      // Of the last run that is told of: how long hidden scenarios took is not.
      finishedAt: latest.toISOString(),
      lineName,
      runs,
    }),
    log: () => {
      const kept: string[] = [];
      let bytes = 0;
      for (const text of tails.toReversed()) {
        bytes += Buffer.byteLength(text);
        if (bytes > logBytes && kept.length > 0) break;
        kept.unshift(text);
      }
      return kept.join('\n');
    },
  };
}

function tail(bytes: Uint8Array): string {
  const written = new TextDecoder().decode(bytes.subarray(Math.max(0, bytes.byteLength - tailBytes)));
  const text = stripVTControlCharacters(written);
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
