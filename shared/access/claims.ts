/** Who a checked access token speaks of. Display names are never part of it: people change them. */
export type Claims = {
  /** The issuer's tenant and the object in it: the one key of a principal. */
  readonly tid: string;
  readonly oid: string;
  /** Proof of an application's own right (`roles`) or of a delegated one (`scp`). */
  readonly grant: 'application' | 'delegated';
  /** When the person proved who they are, epoch milliseconds; 0 when the token doesn't say. */
  readonly authenticatedAt: number;
};
