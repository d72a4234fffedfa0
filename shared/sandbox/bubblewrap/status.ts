import type { Readable } from 'node:stream';
import { processStatus } from '../running/processes.ts';

/** What bubblewrap reports on `--json-status-fd`: one JSON object a line. */
export type SandboxStatus = {
  /** First process of the pid namespace, as seen from outside. */
  init: { readonly pid: number; readonly startedAt: string } | null;
  /** Written only when the program was started, and so tells its exit 1 from bubblewrap's. */
  exitCode: number | null;
};

/** Follows the status stream into a record that is filled as lines arrive. */
export function followStatus(stream: Readable): SandboxStatus {
  const status: SandboxStatus = { init: null, exitCode: null };
  let text = '';
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') readLine(line, status);
  });
  return status;
}

function readLine(line: string, status: SandboxStatus): void {
  const report: unknown = JSON.parse(line);
  if (typeof report !== 'object' || report === null) return;
  if ('child-pid' in report && typeof report['child-pid'] === 'number') {
    const pid = report['child-pid'];
    const found = processStatus(pid);
    if (found !== null) status.init = { pid, startedAt: found.startedAt };
  }
  if ('exit-code' in report && typeof report['exit-code'] === 'number') status.exitCode = report['exit-code'];
}
