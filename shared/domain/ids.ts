import { randomBytes } from 'node:crypto';

/**
 * Typed, sortable, prefixed identifiers: `<prefix>_<time, 9 base-36 digits><random, 16 base-32 digits>`.
 * Ids sort by the millisecond they were made in; 80 random bits make a collision within one millisecond negligible.
 * They are parsed once at the edge; inside, the brand says what kind of id a string is.
 */
const PREFIX = {
  tenant: 'ten',
  principal: 'pri',
  application: 'app',
  repository: 'rep',
  session: 'ses',
  request: 'req',
  node: 'nod',
  job: 'job',
  claim: 'clm',
  upload: 'upl',
  verification: 'ver',
  approval: 'apr',
  decision: 'dec',
  policyDecision: 'pol',
  effect: 'eff',
  installation: 'ins',
  bundle: 'bun',
  outbox: 'out',
  finding: 'fnd',
  object: 'obj',
  key: 'key',
  anchor: 'anc',
  incarnation: 'inc',
  defect: 'def',
} as const;

export type IdKind = keyof typeof PREFIX;
export type Id<K extends IdKind> = string & { readonly __id: K };

export type TenantId = Id<'tenant'>;
export type PrincipalId = Id<'principal'>;
export type ApplicationId = Id<'application'>;
export type RepositoryId = Id<'repository'>;
export type SessionId = Id<'session'>;
export type RequestId = Id<'request'>;

export type JobId = Id<'job'>;
export type UploadId = Id<'upload'>;
export type ApprovalId = Id<'approval'>;
export type EffectId = Id<'effect'>;
export type InstallationId = Id<'installation'>;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PATTERN = /^([a-z]{3})_[0-9a-z]{9}[0-9a-hjkmnp-tv-z]{16}$/;

let latestAt = -1;
let latestTail: number[] = [];

/**
 * A new id of a kind, at a time in milliseconds since the epoch. Ids made by one process within one millisecond sort in the order
 * they were made in: the random part is then the one before, counted up. The entropy source can be replaced by a seeded one.
 */
export function newId<K extends IdKind>(
  kind: K,
  atMs: number,
  entropy: (bytes: number) => Uint8Array = randomBytes,
): Id<K> {
  const at = Math.max(0, Math.floor(atMs));
  if (at === latestAt) countUp(latestTail);
  // The first symbol starts in the lower half, so that counting up within a millisecond never overflows.
  else latestTail = [...entropy(16)].map((byte, index) => (index === 0 ? byte & 15 : byte & 31));
  latestAt = at;
  const tail = latestTail.map((symbol) => ALPHABET[symbol]).join('');
  return `${PREFIX[kind]}_${at.toString(36).padStart(9, '0')}${tail}` as Id<K>;
}

function countUp(symbols: number[]): void {
  for (let index = symbols.length - 1; index >= 0; index -= 1) {
    const symbol = (symbols[index] ?? 0) + 1;
    symbols[index] = symbol & 31;
    if (symbol < 32) return;
  }
}

/** The text as an id of this kind, or undefined when it is not one (an edge answers 404, since a foreign or malformed id names nothing). */
export function parseId<K extends IdKind>(kind: K, text: string): Id<K> | undefined {
  const match = PATTERN.exec(text);
  return match !== null && match[1] === PREFIX[kind] ? (text as Id<K>) : undefined;
}
