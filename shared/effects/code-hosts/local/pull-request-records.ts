import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PullRequestDraft } from '../code-host.ts';

/**
 * Pull requests as files beside a bare repository's own (git looks at none of them):
 *
 *   factory-pull-requests/<number>.json     the record; its name is what makes the number unique
 *   factory-pull-requests/heads/<sha256>    a second link to the record of a head; its name is what makes the head unique
 *   factory-pull-requests/<number>.closed   there once it is closed
 *
 * Files appear whole (written aside, then linked under their name, which fails when the name is taken) and never change. A record whose
 * head names another record lost the race, or its writer died in between: it is no pull request, only a number that is used up.
 */
const record = z.object({
  schemaVersion: z.literal(1),
  number: z.int().min(1),
  head: z.string(),
  base: z.string(),
  title: z.string(),
  body: z.string(),
});
export type PullRequestRecord = z.infer<typeof record>;

export type PullRequestRecords = {
  ofHead(head: string): Promise<PullRequestRecord | null>;
  byNumber(number: number): Promise<PullRequestRecord | null>;
  /** The record of this head: a new one, or the one that exists. */
  create(draft: PullRequestDraft): Promise<{ readonly created: boolean; readonly record: PullRequestRecord }>;
  isClosed(number: number): Promise<boolean>;
  close(number: number, reason: string): Promise<void>;
};

export function pullRequestRecords(repository: string): PullRequestRecords {
  const root = join(repository, 'factory-pull-requests');
  const heads = join(root, 'heads');
  const headFile = (head: string): string => join(heads, createHash('sha256').update(head).digest('hex'));
  const numberFile = (number: number): string => join(root, `${number}.json`);
  const closedFile = (number: number): string => join(root, `${number}.closed`);

  const ofHead = async (head: string): Promise<PullRequestRecord | null> => readRecord(headFile(head));

  /** Takes the next free number for a draft; racing writers each get their own. */
  const reserve = async (draft: PullRequestDraft): Promise<PullRequestRecord> => {
    for (let number = (await highestNumber(root)) + 1; ; number++) {
      const reserved: PullRequestRecord = {
        schemaVersion: 1,
        number,
        head: draft.head,
        base: draft.base,
        title: draft.title,
        body: draft.body,
      };
      if (await writeNew(root, numberFile(number), JSON.stringify(reserved, null, 2))) return reserved;
    }
  };

  return {
    ofHead,
    async byNumber(number) {
      const found = await readRecord(numberFile(number));
      if (found === null) return null;
      const holder = await ofHead(found.head);
      return holder?.number === number ? holder : null;
    },
    async create(draft) {
      await mkdir(heads, { recursive: true });
      const existing = await ofHead(draft.head);
      if (existing !== null) return { created: false, record: existing };
      const reserved = await reserve(draft);
      if (await linkNew(numberFile(reserved.number), headFile(draft.head))) {
        await syncDirectory(heads);
        return { created: true, record: reserved };
      }
      await rm(numberFile(reserved.number), { force: true });
      const winner = await ofHead(draft.head);
      if (winner === null)
        throw new Error(`the pull request record of ${draft.head} in ${root} was removed while it was being opened`);
      return { created: false, record: winner };
    },
    isClosed: async (number) => (await readIfThere(closedFile(number))) !== null,
    async close(number, reason) {
      if ((await readRecord(numberFile(number))) !== null)
        await writeNew(root, closedFile(number), JSON.stringify({ reason }));
    },
  };
}

async function highestNumber(root: string): Promise<number> {
  const numbers = (await readdir(root))
    .map((name) => /^(\d{1,9})\.json$/.exec(name)?.[1])
    .filter((text) => text !== undefined);
  return numbers.reduce((highest, text) => Math.max(highest, Number(text)), 0);
}

async function readRecord(file: string): Promise<PullRequestRecord | null> {
  const text = await readIfThere(file);
  return text === null ? null : record.parse(JSON.parse(text));
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Writes a file that is there whole or not at all, also after a power cut; false when the name is taken. */
async function writeNew(directory: string, file: string, text: string): Promise<boolean> {
  const aside = join(directory, `.${randomUUID()}`);
  try {
    const handle = await open(aside, 'wx', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const linked = await linkNew(aside, file);
    if (linked) await syncDirectory(directory);
    return linked;
  } finally {
    await rm(aside, { force: true });
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
