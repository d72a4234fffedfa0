import { appendFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACTIVITY_TEXT } from '../../shared/activity/activity.ts';
import { openFileFeed } from '../../shared/activity/file-feed.ts';
import { newId } from '../../shared/domain/ids.ts';
import { application, temporaryDirectory } from './stream.ts';

const entry = (text: string) => ({ at: 1, what: 'job.completed', request: null, text });

describe('the activity feed', () => {
  it('shows the newest entries of an application in order, and no other application', async () => {
    const feed = await openFileFeed(await temporaryDirectory());
    await Promise.all(Array.from({ length: 50 }, (_, index) => feed.append(application, entry(`${index}`))));
    expect((await feed.latest(application, 3)).map((each) => each.text)).toEqual(['47', '48', '49']);
    expect(await feed.latest(application, 0)).toEqual([]);
    expect(await feed.latest(newId('application', 5), 10)).toEqual([]);
  });

  it('is bounded in text, in files and in size, and passes over a line that was cut', async () => {
    const path = await temporaryDirectory();
    const feed = await openFileFeed(path);
    await feed.append(application, entry('x'.repeat(5_000)));
    expect((await feed.latest(application, 1))[0]!.text).toHaveLength(ACTIVITY_TEXT);
    for (let round = 0; round < 3; round++) {
      await appendFile(
        join(path, `${application}.jsonl`),
        `${JSON.stringify(entry('filler'.repeat(20)))}\n`.repeat(8_000),
      );
      await feed.append(application, entry(`round ${round}`));
    }
    expect(await readdir(path)).toHaveLength(2);
    await appendFile(join(path, `${application}.jsonl`), '{"at":1,"wh');
    expect((await feed.latest(application, 1)).length).toBe(0);
    expect((await feed.latest(application, 2)).map((each) => each.text)).toEqual(['round 2']);
    expect((await stat(join(path, `${application}.jsonl`))).size).toBeLessThan(1_100_000);
  });

  it('never fails whoever does the work', async () => {
    const path = join(await temporaryDirectory(), 'feed');
    const feed = await openFileFeed(path);
    await rm(path, { recursive: true });
    await writeFile(path, 'a file where the directory was');
    expect(await feed.append(application, entry('lost'))).toBe(false);
  });
});
