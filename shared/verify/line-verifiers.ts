import type { LineName } from '../domain/packet/line-input.ts';
import { apiMigrationVerifier } from './lines/api-migration.ts';
import { azureDeploymentVerifier } from './lines/azure-deployment.ts';
import { dependencyUpdateVerifier } from './lines/dependency-update.ts';
import type { LineVerifier } from './lines/line-verifier.ts';
import { patchVerifier } from './lines/patch.ts';

export const lineVerifiers: Readonly<Record<LineName, LineVerifier>> = {
  patch: patchVerifier,
  'api-migration': apiMigrationVerifier,
  'dependency-update': dependencyUpdateVerifier,
  'azure-deployment': azureDeploymentVerifier,
};
