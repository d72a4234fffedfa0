import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { systemErrorCode } from '../artifacts/storage-refusal.ts';
import type { RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { ACTIVITY_TEXT, type ActivityEntry, type ActivityFeed, type ActivityStream } from './activity.ts';

/** Two files of this size a stream: the current one and the one before. */
const FILE_BYTES = 1024 * 1024;
/** Entries waiting for the disk; beyond it they are dropped. */
const WAITING = 1_000;
/** Entries gather this long and are written together: a commit's own time is not spent on them. */
const GATHER_MS = 100;

const line = z.object({ at: z.int(), what: z.string(), request: z.string().nullable(), text: z.string() });

type Waiting = { readonly stream: ActivityStream; readonly text: string; settle(kept: boolean): void };

/** The file driver: `<stream>.jsonl`, set aside as `.1.jsonl` when full. */
export async function openFileFeed(directory: string): Promise<ActivityFeed> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const current = (stream: ActivityStream): string => join(directory, `${stream}.jsonl`);
  const older = (stream: ActivityStream): string => join(directory, `${stream}.1.jsonl`);
  let waiting: Waiting[] = [];
  let underWay = 0;
  let writing: Promise<void> | undefined;

  async function write(stream: ActivityStream, text: string): Promise<void> {
    const file = current(stream);
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size + text.length > FILE_BYTES) await rename(file, older(stream));
    await appendFile(file, text, { mode: 0o600 });
  }

  /** One round at a time, or two could set the same file aside. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      await setTimeout(GATHER_MS, undefined, { ref: false });
      const gathered = Map.groupBy(waiting, (entry) => entry.stream);
      underWay = waiting.length;
      waiting = [];
      for (const [stream, entries] of gathered) {
        const kept = await write(stream, entries.map((entry) => entry.text).join('')).then(
          () => true,
          () => false,
        );
        for (const entry of entries) entry.settle(kept);
      }
      underWay = 0;
    }
    writing = undefined;
  }

  return {
    append(stream, entry) {
      if (waiting.length + underWay >= WAITING) return Promise.resolve(false);
      const kept: ActivityEntry = {
        at: entry.at,
        what: entry.what.slice(0, 100),
        request: entry.request,
        text: entry.text.slice(0, ACTIVITY_TEXT),
      };
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting.push({ stream, text: `${JSON.stringify(kept)}\n`, settle: resolve });
      writing ??= writeAll();
      return promise;
    },
    async latest(stream, count) {
      await writing;
      const texts: string[] = [];
      for (const file of [older(stream), current(stream)]) {
        texts.push(
          await readFile(file, 'utf8').catch((error: unknown) => {
            if (systemErrorCode(error) === 'ENOENT') return '';
            throw error;
          }),
        );
      }
      const lines = texts
        .join('')
        .split('\n')
        .filter((text) => text !== '');
      return lines
        .slice(Math.max(0, lines.length - Math.min(Math.max(count, 0), LIMITS.http.pageItems)))
        .flatMap(parsed);
    },
  };
}

/** A line that a crash cut in two is passed over. */
function parsed(text: string): ActivityEntry[] {
  try {
    const entry = line.parse(JSON.parse(text));
    return [{ ...entry, request: entry.request as RequestId | null }];
  } catch {
    return [];
  }
}
