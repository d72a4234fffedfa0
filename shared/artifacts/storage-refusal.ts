import { Refusal } from '../domain/refusal.ts';

/** System errors that say the storage itself refuses to write now: full, over quota, read-only, failing. */
const REFUSING = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

/** The code of a Node system error (`ENOENT`, …), or undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A storage that can't write becomes 503 `FACTORY-STORE-UNAVAILABLE`; any other error is returned as it is. */
export function asStorageRefusal(error: unknown, what: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined || !REFUSING.has(code)) return error;
  return new Refusal(
    503,
    'FACTORY-STORE-UNAVAILABLE',
    `${what} could not be written: the storage answered ${code}. Nothing was kept of it. Free space or repair the disk, then repeat the call.`,
    {
      retryAfterSeconds: 5,
    },
  );
}
