import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * A lease token: `<epoch>.<mac>`, where the mac binds job, epoch, worker, claim and the plane's incarnation under a secret of
 * the plane. It can't be guessed, and a claim repeated with the same claim id yields the same token without storing it:
 * the row holds only its hash.
 */
export type LeaseBinding = {
  readonly job: string;
  readonly epoch: number;
  readonly owner: string;
  readonly claimId: string;
  readonly incarnation: string;
};

export function leaseToken(secret: Uint8Array, binding: LeaseBinding): string {
  const mac = createHmac('sha256', secret)
    .update([binding.job, binding.epoch, binding.owner, binding.claimId, binding.incarnation].join('\n'))
    .digest('base64url');
  return `${binding.epoch}.${mac}`;
}

/** Whether two token hashes are equal, in constant time. */
export function sameTokenHash(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The epoch a token was made for, or undefined when it is no lease token. */
export function epochOf(token: string): number | undefined {
  const match = /^(\d{1,9})\.[A-Za-z0-9_-]{43}$/.exec(token);
  return match === null ? undefined : Number(match[1]);
}
