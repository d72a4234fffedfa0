import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../artifacts/objects/durable-file.ts';
import { systemErrorCode } from '../../artifacts/storage-refusal.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { AnchorStore } from './anchor-store.ts';

const NAME = /^anchor-\d{12}\.json$/;

/** The file driver: one 0400 file an anchor, created exclusively. Keep a copy on another machine: files of one owner can be replaced by that owner. */
export async function openFileAnchors(directory: string): Promise<AnchorStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return {
    create: (name, text) =>
      crossing('anchor.write', async () => {
        try {
          await writeDurably(join(directory, name), [Buffer.from(text)], {
            mode: 0o400,
            exclusive: true,
            what: `Anchor ${name}`,
          });
          return 'created' as const;
        } catch (error) {
          if (systemErrorCode(error) === 'EEXIST') return 'taken' as const;
          throw error;
        }
      }),
    read: (name) =>
      readFile(join(directory, name), 'utf8').catch((error: unknown) => {
        if (systemErrorCode(error) === 'ENOENT') return undefined;
        throw error;
      }),
    async *list(behind) {
      const names = await readdir(directory);
      yield* names.filter((name) => NAME.test(name) && name > behind).sort();
    },
  };
}
