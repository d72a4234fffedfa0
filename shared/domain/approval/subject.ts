import type { Digest } from '../digest.ts';
import type { RiskTier } from '../risk/tier.ts';

/**
 * What an approval is about, to the byte. The approver sees it rendered from the artifacts and decides on its digest
 * (canonical JSON); any difference is another subject, and needs another approval.
 */
export type StartSubject = {
  readonly type: 'start';
  readonly request: string;
  readonly packet: Digest;
  readonly plan: Digest;
  readonly policy: Digest;
  readonly risk: RiskTier;
};

export type EffectSubject = {
  readonly type: 'effect';
  readonly request: string;
  readonly packet: Digest;
  readonly startApproval: string | null;
  readonly plan: Digest;
  /** sha256 tree digest of the tested bytes. */
  readonly tree: Digest;
  readonly baseTree: Digest;
  /** Digest of the receipt's claims (tree, checks, results), not of its times. */
  readonly receipt: Digest;
  readonly changeEvidence: Digest;
  readonly target: string;
  readonly effects: readonly string[];
  readonly policy: Digest;
  readonly risk: RiskTier;
};

export type InstallSubject = {
  readonly type: 'installation';
  readonly installation: string;
  readonly application: string;
  readonly plan: Digest;
  readonly definitions: Digest;
  readonly policy: Digest;
};

/** Another declaration of an application: what judges changes is itself changed by two people. */
export type DeclarationSubject = {
  readonly type: 'declaration';
  readonly application: string;
  readonly requestedBy: string;
  readonly from: Digest;
  readonly to: Digest;
  /** The set of hidden scenarios that comes into force with it, when it is another; salted, so that it tells nothing of them. */
  readonly holdouts?: Digest | undefined;
  /** The parts of the declaration that differ, by name. */
  readonly changes: readonly string[];
  readonly policy: Digest;
};

export type ApprovalSubject = StartSubject | EffectSubject | InstallSubject | DeclarationSubject;
