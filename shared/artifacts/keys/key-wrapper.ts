/** A data key as it is stored: encrypted by a version of the wrapping key. */
export type WrappedKey = { readonly wrapped: Uint8Array; readonly version: string };

/**
 * Encrypts data keys, and nothing else. The wrapping key never leaves its driver: a 0600 key file on one machine, a vault in
 * the cloud. Rotation makes a new version current; keys wrapped by an older one stay readable until they are wrapped again.
 * `context` says what the data key is for; a driver that can bind it does, so that a wrapped key moved to another artifact won't open.
 */
export type KeyWrapper = {
  currentVersion(): Promise<string>;
  wrap(dataKey: Uint8Array, context: string): Promise<WrappedKey>;
  /** Throws `KeyUnusable` when the version is unknown or the wrapped key or context is not the one that was wrapped. */
  unwrap(key: WrappedKey, context: string): Promise<Uint8Array>;
};

/** A wrapped key that does not open: unknown version, changed bytes, or another artifact's key. */
export class KeyUnusable extends Error {
  override readonly name = 'KeyUnusable';
}
