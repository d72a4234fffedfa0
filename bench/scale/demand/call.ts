/**
 * What one call of control costs the services behind it. Counted, not estimated: a run of the worked example's packet `fix-rounding` (line
 * `patch`, medium risk, pull request) through every process, with a counter at each store command, statement, key and object.
 * `test/bench-scale/demand.test.ts` counts the store's share again and fails when the plane does more than this says.
 */
export type CallDemand = {
  /** Transactions that commit. */
  readonly commits: number;
  /** Those of them that write an audit event, and so hold the head of the application's stream until they are durable. */
  readonly audited: number;
  /** Statements, each a round trip on Azure SQL: those of the transactions and of the reads around them. */
  readonly statements: number;
  /** Data keys unwrapped by the vault; wrapping takes the public half only and costs no call (`shared/artifacts/keys/key-vault-wrapper.ts`). */
  readonly unwraps: number;
  readonly signatures: number;
  readonly blobReads: number;
  /** Writes, lists and deletes. */
  readonly blobWrites: number;
};

const nothing: CallDemand = {
  commits: 0,
  audited: 0,
  statements: 0,
  unwraps: 0,
  signatures: 0,
  blobReads: 0,
  blobWrites: 0,
};
const call = (demand: Partial<CallDemand>): CallDemand => ({ ...nothing, ...demand });

/** By what is called; the store commands each stands for are in brackets. */
export const CALLS = {
  /** The packet as an artifact, then the request with its first job (artifacts.put, request.submit). */
  submit: call({ commits: 2, audited: 1, statements: 25, blobWrites: 1 }),
  /** A look at a request or its nodes by a person or program (requests.read, requests.see, nodes.list). */
  look: call({ statements: 5 }),
  /** A lease (job.claim). */
  claim: call({ commits: 1, audited: 1, statements: 12 }),
  /** The claim that finds nothing, after each job. */
  claimNothing: call({ statements: 3 }),
  /** An input, by capability (job.artifact, artifacts.find). */
  download: call({ statements: 4, unwraps: 1, blobReads: 1 }),
  /** Beginning an upload (job.lease, uploads.read; announced, counted, noted and measured in staging). */
  uploadBegin: call({ statements: 3, blobReads: 2, blobWrites: 2 }),
  /** Its one chunk (job.lease, uploads.finish; the object, and two deletes in staging). */
  uploadPut: call({ commits: 1, statements: 7, blobReads: 2, blobWrites: 3 }),
  /** (renewLease: one guarded update, not audited.) */
  renew: call({ commits: 1, statements: 1 }),
  /** The result, and what becomes due by it (job.complete). */
  complete: call({ commits: 1, audited: 1, statements: 32 }),
  /** Reading what one is asked to approve (approvals.render, approvals.read, three artifacts). */
  readApproval: call({ statements: 12, unwraps: 3, blobReads: 3 }),
  /** (approval.decide.) */
  decide: call({ commits: 1, audited: 1, statements: 31 }),
  /** (effect.intend.) */
  intend: call({ commits: 1, audited: 1, statements: 15 }),
  /** (effect.record: started, completed and verified of each effect.) */
  record: call({ commits: 1, audited: 1, statements: 7 }),
  /** A turn of the orchestrator (request.supervise). */
  supervise: call({ commits: 1, statements: 5 }),
  /** Change evidence (seal.records, three artifacts, the envelope, seal.change). */
  sealChange: call({ commits: 2, audited: 1, statements: 56, unwraps: 3, signatures: 1, blobReads: 3, blobWrites: 1 }),
  /** The evidence bundle (seal.records, the change evidence, the envelope, seal.bundle). */
  sealBundle: call({ commits: 1, audited: 1, statements: 33, unwraps: 1, signatures: 1, blobReads: 1, blobWrites: 1 }),
  /** Rows that were sent are taken off, several at once (outbox.delivered). */
  outboxDelivered: call({ commits: 1, statements: 1 }),
} as const satisfies Readonly<Record<string, CallDemand>>;

export type CallName = keyof typeof CALLS;
