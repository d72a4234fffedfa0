/**
 * Thrown when the database knows less than an anchor says it once knew: it was restored from a backup, or rewritten. The plane must
 * stop writing until an operator opens a new incarnation, since effects after the restored point have happened in the world.
 */
export class AuditRewound extends Error {
  override readonly name = 'AuditRewound';
  readonly code = 'FACTORY-AUDIT-REWOUND';
  readonly anchor: number;
  readonly stream: string;

  constructor(anchor: number, stream: string, because: string) {
    super(
      `The audit stream ${stream} is not what anchor ${anchor} sealed: ${because}. The database was restored or rewritten. Look at what is missing with "factory restore status"; an operator accepts it with "factory restore accept", or puts a newer database in its place.`,
    );
    this.anchor = anchor;
    this.stream = stream;
  }
}
