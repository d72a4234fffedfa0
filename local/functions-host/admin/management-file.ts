import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const schema = z.object({ url: z.url(), key: z.string().min(1) });

/** Where a host's admin and management API answers, and the key it asks for. */
export type Management = z.infer<typeof schema>;

const fileOf = (dataDirectory: string): string => path.join(dataDirectory, 'management.json');

/** A key of 256 random bits, without a character that a URL would escape. */
export const newManagementKey = (): string => randomBytes(32).toString('base64url');

/** Writes the file, for its owner alone. A key lasts as long as its host runs. */
export function writeManagement(dataDirectory: string, management: Management): void {
  const file = fileOf(dataDirectory);
  const next = `${file}.${randomUUID()}`;
  writeFileSync(next, `${JSON.stringify(management)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(next, file);
}

/** Reads what the host that runs on a data directory wrote, or the last one did. Throws when none did. */
export function readManagement(dataDirectory: string): Management {
  return schema.parse(JSON.parse(readFileSync(fileOf(dataDirectory), 'utf8')));
}
