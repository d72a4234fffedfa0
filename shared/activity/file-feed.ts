import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../artifacts/storage-refusal.ts';
import type { ApplicationId, RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { ACTIVITY_TEXT, type ActivityEntry, type ActivityFeed } from './activity.ts';

/** Two files of this size an application: the current one and the one before. */
const FILE_BYTES = 1024 * 1024;
/** Entries waiting for the disk; beyond it they are dropped. */
const WAITING = 1_000;

const line = z.object({ at: z.int(), what: z.string(), request: z.string().nullable(), text: z.string() });

/** The file driver: `<application>.jsonl`, set aside as `.1.jsonl` when full. */
export async function openFileFeed(directory: string): Promise<ActivityFeed> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const current = (application: ApplicationId): string => join(directory, `${application}.jsonl`);
  const older = (application: ApplicationId): string => join(directory, `${application}.1.jsonl`);
  let writing: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function write(application: ApplicationId, text: string): Promise<void> {
    const file = current(application);
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size + text.length > FILE_BYTES) await rename(file, older(application));
    await appendFile(file, text, { mode: 0o600 });
  }

  return {
    append(application, entry) {
      if (waiting >= WAITING) return Promise.resolve(false);
      waiting++;
      const kept: ActivityEntry = {
        at: entry.at,
        what: entry.what.slice(0, 100),
        request: entry.request,
        text: entry.text.slice(0, ACTIVITY_TEXT),
      };
      // One write at a time, or two could set the same file aside.
      const done = writing
        .then(() => write(application, `${JSON.stringify(kept)}\n`))
        .then(
          () => true,
          () => false,
        )
        .finally(() => {
          waiting--;
        });
      writing = done;
      return done;
    },
    async latest(application, count) {
      const texts: string[] = [];
      for (const file of [older(application), current(application)]) {
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
