import { applicationRoutes } from './applications.ts';
import { approvalRoutes } from './approvals.ts';
import { artifactRoutes } from './artifacts.ts';
import { auditRoutes } from './audit.ts';
import { definitionRoutes } from './definitions.ts';
import { healthRoutes } from './health.ts';
import { holdoutRoutes } from './holdouts.ts';
import { identityRoutes } from './identity.ts';
import { installationRoutes } from './installations.ts';
import { jobArtifactRoutes } from './job-artifacts.ts';
import { jobEffectRoutes } from './job-effects.ts';
import { jobRoutes } from './jobs.ts';
import { openApiRoute } from './openapi.ts';
import { principalRoutes } from './principals.ts';
import { requestActionRoutes } from './request-actions.ts';
import { requestDefectRoutes } from './request-defects.ts';
import { requestPartRoutes } from './request-parts.ts';
import { requestRoutes } from './requests.ts';
import { restoreRoutes } from './restore.ts';
import type { Route } from './route.ts';
import { sessionRoutes } from './sessions.ts';
import { statusRoutes } from './status.ts';

/** Every route of the API. What is registered, described and tested comes from here. */
export const ROUTES: readonly Route[] = [
  ...healthRoutes,
  openApiRoute(() => ROUTES),
  ...identityRoutes,
  ...sessionRoutes,
  ...applicationRoutes,
  ...definitionRoutes,
  ...installationRoutes,
  ...requestRoutes,
  ...requestActionRoutes,
  ...requestPartRoutes,
  ...requestDefectRoutes,
  ...jobRoutes,
  ...jobArtifactRoutes,
  ...jobEffectRoutes,
  ...approvalRoutes,
  ...artifactRoutes,
  ...holdoutRoutes,
  ...auditRoutes,
  ...statusRoutes,
  ...principalRoutes,
  ...restoreRoutes,
];
