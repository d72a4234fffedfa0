import { defaultGitLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { endGit, exitOf, gitFailure, keepText, startGit } from './spawn.ts';

/**
 * Raw blobs, in the order asked for, through one `cat-file --batch`: no filter, no attribute, no line-end change. One blob is in
 * memory at a time; the caller has bounded their sizes.
 */
export async function* readBlobs(
  repository: string,
  blobs: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  if (blobs.length === 0) return;
  const child = startGit({ repository, arguments: ['cat-file', '--batch'], signal });
  const stderr = keepText(child.stderr);
  const closed = exitOf(child);
  closed.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  try {
    child.stdin.end(`${blobs.join('\n')}\n`);
    const reader = exactReader(child.stdout);
    for (const blob of blobs) {
      // Per blob: a consumer that is slow to write is not git being stuck.
      timer = setTimeout(() => endGit(child), defaultGitLimits.wallMs);
      const [id, type, size] = (await reader.line()).split(' ');
      if (id !== blob || type !== 'blob' || size === undefined) {
        if (signal?.aborted === true) throw new SandboxRefusal('GIT-CANCELLED', 'reading blobs was cancelled');
        throw gitFailure('cat-file', -1, `${blob} is not there or not a blob ${stderr()}`);
      }
      const bytes = await reader.bytes(Number(size));
      await reader.bytes(1);
      clearTimeout(timer);
      yield bytes;
    }
    await closed;
  } finally {
    clearTimeout(timer);
    endGit(child);
  }
}

function exactReader(stream: AsyncIterable<Buffer>) {
  const source = stream[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { done, value } = await source.next();
    if (done === true) return false;
    held = held.length === 0 ? value : Buffer.concat([held, value]);
    return true;
  };
  return {
    async line(): Promise<string> {
      for (;;) {
        const end = held.indexOf(10);
        if (end >= 0) {
          const line = held.subarray(0, end).toString('latin1');
          held = held.subarray(end + 1);
          return line;
        }
        if (!(await more())) return '';
      }
    },
    async bytes(count: number): Promise<Buffer> {
      const parts: Buffer[] = [];
      let missing = count;
      for (;;) {
        const part = held.subarray(0, missing);
        parts.push(part);
        missing -= part.length;
        held = held.subarray(part.length);
        if (missing === 0) return Buffer.concat(parts);
        if (!(await more())) throw gitFailure('cat-file', -1, 'the answer ended inside a blob');
      }
    },
  };
}
