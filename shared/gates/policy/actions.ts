import type { RiskTier } from '../../domain/risk/tier.ts';

/** Roles that an identity can hold. The last but one, `effector`, and `station` and `verifier` are workers' alone. */
export const ROLES = [
  'requester',
  'approver',
  'security_approver',
  'operator',
  'policy_owner',
  'auditor',
  'station',
  'verifier',
  'effector',
  'break_glass',
] as const;
export type Role = (typeof ROLES)[number];
/** Roles that only a worker holds, and the only ones that a worker holds. */
export const WORKER_ROLES: readonly Role[] = ['station', 'verifier', 'effector'];

/** Who asks. Taken from the checked token and the role assignments in the store, never from a request's body. */
export type PolicyPrincipal = {
  readonly kind: 'User' | 'Worker';
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly Role[];
};

type Owned = { readonly id: string; readonly tenant: string };
type OfApplication = Owned & { readonly application: string };

/** What is asked about, by entity type of the schema. Ids name entities; attributes are recorded facts, computed by the plane. */
export type PolicyResources = {
  readonly Tenant: Owned;
  readonly Application: Owned;
  readonly Session: Owned & { readonly owner: string };
  readonly Request: OfApplication & {
    readonly requestedBy: string;
    readonly delegates: readonly string[];
    readonly risk: RiskTier;
  };
  readonly Approval: OfApplication & {
    readonly subject: 'start' | 'effect' | 'installation';
    readonly tier: RiskTier;
    readonly requestedBy: string;
    readonly authoredBy: readonly string[];
    readonly delegates: readonly string[];
  };
  readonly Effect: OfApplication & {
    readonly kind: string;
    readonly target: string;
    readonly tier: RiskTier;
    readonly approvals: number;
    readonly required: number;
    readonly treeMatches: boolean;
    readonly receiptValid: boolean;
    /** Whether something ran on the change that could have failed. */
    readonly checked: boolean;
  };
  readonly Installation: OfApplication & {
    readonly plannedBy: string;
    readonly delegates: readonly string[];
    readonly approved: boolean;
  };
  readonly Definitions: Owned;
  /** `user`: the identity whose rights are changed. */
  readonly Principal: Owned & { readonly user: string };
  readonly Artifact: OfApplication & { readonly kind: string; readonly requestedBy: string };
  readonly AuditStream: Owned & { readonly scope: 'application' | 'tenant' | 'platform' };
};
export type ResourceType = keyof PolicyResources;

/**
 * Every action that Cedar decides, with the type of resource it is about: one for each route that is not public. Claim, renew,
 * complete and what else a worker does under its lease are absent: they check role, pool and lease in code. A test compares this
 * table with the schema.
 */
export const ACTIONS = {
  createSession: 'Tenant',
  readSession: 'Session',
  submitRequest: 'Application',
  readRequest: 'Request',
  cancelRequest: 'Request',
  retryRequest: 'Request',
  answerRequest: 'Request',
  recordDefect: 'Request',
  readApproval: 'Approval',
  decideApproval: 'Approval',
  revokeApproval: 'Approval',
  performEffect: 'Effect',
  registerApplication: 'Tenant',
  readApplication: 'Application',
  planInstallation: 'Application',
  readInstallation: 'Installation',
  approveInstallation: 'Installation',
  applyInstallation: 'Installation',
  readDefinitions: 'Tenant',
  publishDefinitions: 'Definitions',
  readArtifact: 'Artifact',
  readAudit: 'AuditStream',
  exportAudit: 'AuditStream',
  readJobs: 'Tenant',
  readActivity: 'Tenant',
  readPrincipals: 'Tenant',
  addPrincipal: 'Tenant',
  changePrincipal: 'Principal',
  administer: 'Tenant',
  acceptRestore: 'Tenant',
} as const satisfies Readonly<Record<string, ResourceType>>;
export type Action = keyof typeof ACTIONS;
export type ResourceOf<A extends Action> = PolicyResources[(typeof ACTIONS)[A]];

/** The application that a question is about; undefined for what is of the tenant or the plane. */
export function applicationOf<A extends Action>(action: A, resource: ResourceOf<A>): string | undefined {
  if ('application' in resource) return resource.application;
  const ofApplication = ACTIONS[action] === 'Application' || ('scope' in resource && resource.scope === 'application');
  return ofApplication ? resource.id : undefined;
}

/** `freshAuthentication`: the caller proved who they are within the last minutes (the token's `auth_time`), not by an old session. */
export type Circumstances = {
  readonly freshAuthentication: boolean;
  /** Of `registerApplication` on an application that is there: the parts of its declaration that change, by name. */
  readonly changes?: readonly string[];
  /** Beside `changes`: whether another person than who changes them has to approve first. */
  readonly seconded?: boolean;
};
