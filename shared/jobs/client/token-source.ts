import type { ElapsedClock } from './elapsed-clock.ts';

/** Where a worker's access tokens come from: a local identity's credential file, or a managed identity. */
export type TokenSource = {
  /** A token that is good for some time yet. */
  getToken(): Promise<string>;
  /** Called when the plane answered 401 to this token: the next `getToken` asks the issuer again. */
  reject(token: string): void;
};

export type IssuedToken = { readonly accessToken: string; readonly expiresInSeconds: number };

/** A token is renewed when this share of its life is left, so that no call starts with one about to expire. */
const RENEWED_WITH_SHARE_LEFT = 0.1;

/** Keeps one token until shortly before it expires. Concurrent callers share one request to the issuer. */
export function cachedTokens(issue: () => Promise<IssuedToken>, now: ElapsedClock): TokenSource {
  let kept: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  const ask = async (): Promise<string> => {
    const askedAt = now();
    const issued = await issue();
    kept = {
      token: issued.accessToken,
      until: askedAt + issued.expiresInSeconds * 1_000 * (1 - RENEWED_WITH_SHARE_LEFT),
    };
    return issued.accessToken;
  };

  return {
    getToken() {
      if (kept !== undefined && now() < kept.until) return Promise.resolve(kept.token);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    reject(token) {
      if (kept?.token === token) kept = undefined;
    },
  };
}
