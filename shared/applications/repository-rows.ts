import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import type { ApplicationId, RepositoryId } from '../domain/ids.ts';
import type { Scope } from '../line/scope.ts';
import type { insertRepositories } from '../store/applications/repositories.ts';

type RepositoryRows = Parameters<typeof insertRepositories>[0];

/** A declaration's repositories as rows; one that is known by its name keeps its id. */
export function repositoryRows(
  scope: Scope,
  application: ApplicationId,
  declaration: ApplicationDeclaration,
  known: ReadonlyMap<string, RepositoryId>,
): RepositoryRows {
  return declaration.repositories.map((repository) => ({
    id: known.get(repository.name) ?? scope.context.newId('repository', scope.now),
    tenant_id: scope.context.tenant,
    application_id: application,
    name: repository.name,
    code_host: repository.codeHost,
    location: repository.location,
    default_branch: repository.defaultBranch,
  }));
}
