import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { newId } from '../../domain/ids.ts';
import { writeDurably } from '../objects/durable-file.ts';
import { systemErrorCode } from '../storage-refusal.ts';
import { KeyUnusable, type KeyWrapper } from './key-wrapper.ts';

const fileSchema = z.strictObject({
  format: z.literal('factory-wrapping-keys/v1'),
  current: z.string(),
  keys: z
    .array(z.strictObject({ version: z.string().min(1).max(40), createdAt: z.int(), secret: z.base64().length(44) }))
    .min(1)
    .max(1_000),
});
type KeyFile = z.infer<typeof fileSchema>;

/** A key wrapper over a local file, and the way to rotate it. */
export type LocalKeys = KeyWrapper & {
  /** Makes a new version current, durably, and answers it. Old versions stay, to unwrap what they wrapped. */
  rotate(): Promise<string>;
};

const NONCE = 12;
const TAG = 16;

const freshKey = (atMs: number): KeyFile['keys'][number] => ({
  version: newId('key', atMs),
  createdAt: Math.floor(atMs),
  secret: randomBytes(32).toString('base64'),
});

const save = (file: string, keys: KeyFile, exclusive: boolean): Promise<number> =>
  writeDurably(file, [Buffer.from(`${JSON.stringify(keys, null, 2)}\n`)], {
    mode: 0o600,
    exclusive,
    what: `Key file ${file}`,
  });

/** Refuses a key file that anybody else could have read: its keys must be taken as known. */
export async function requirePrivateFile(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `Key file ${file} has mode ${(mode & 0o777).toString(8)}: others may read it. Set it to 600; if others had access to this machine, rotate the key as well.`,
    );
  }
}

async function load(file: string): Promise<KeyFile> {
  await requirePrivateFile(file);
  const parsed = fileSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success || !parsed.data.keys.some((key) => key.version === parsed.data.current)) {
    throw new Error(
      `Key file ${file} is not a factory-wrapping-keys/v1 file with its current key. Restore it from the backup: without it the artifacts can't be read.`,
    );
  }
  return parsed.data;
}

/**
 * Opens the local key file, making it with one key when absent (0600, written whole). Data keys are wrapped with AES-256-GCM
 * under a random nonce: some 2^32 wraps a version stay within NIST SP 800-38D §8.3, far above one machine's life.
 */
export async function openKeyFile(file: string, now: () => number = Date.now): Promise<LocalKeys> {
  const first = freshKey(now());
  const exists = await open(file, 'r').then(
    (handle) => handle.close().then(() => true),
    (error: unknown) => (systemErrorCode(error) === 'ENOENT' ? false : Promise.reject(error)),
  );
  if (!exists) {
    // Two processes may start at once: whoever creates the file first decides, the other reads it.
    await save(file, { format: 'factory-wrapping-keys/v1', current: first.version, keys: [first] }, true).catch(
      (error: unknown) => {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      },
    );
  }
  let held = await load(file);

  async function secretOf(version: string): Promise<Uint8Array> {
    // Another process may have rotated since this one read the file.
    if (!held.keys.some((key) => key.version === version)) held = await load(file);
    const key = held.keys.find((candidate) => candidate.version === version);
    if (key === undefined) throw new KeyUnusable(`the wrapping key version ${version} is not in the key file`);
    return Buffer.from(key.secret, 'base64');
  }

  return {
    async currentVersion() {
      held = await load(file);
      return held.current;
    },
    async wrap(dataKey, context) {
      const version = held.current;
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', await secretOf(version), nonce);
      cipher.setAAD(Buffer.from(`${version}\n${context}`));
      const body = Buffer.concat([cipher.update(dataKey), cipher.final()]);
      return { wrapped: Buffer.concat([nonce, body, cipher.getAuthTag()]), version };
    },
    async unwrap(key, context) {
      const secret = await secretOf(key.version);
      if (key.wrapped.byteLength < NONCE + TAG) throw new KeyUnusable('the wrapped key is cut short');
      const bytes = Buffer.from(key.wrapped);
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(`${key.version}\n${context}`));
      decipher.setAuthTag(bytes.subarray(bytes.byteLength - TAG));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE, bytes.byteLength - TAG)), decipher.final()]);
      } catch {
        throw new KeyUnusable('the wrapped key, its version or what it belongs to was changed');
      }
    },
    async rotate() {
      const current = await load(file);
      const added = freshKey(now());
      const next: KeyFile = { ...current, current: added.version, keys: [...current.keys, added] };
      await save(file, next, false);
      held = next;
      return added.version;
    },
  };
}
