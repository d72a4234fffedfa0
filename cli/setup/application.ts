import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { type ApplicationDeclaration, applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import type { PlaneApi } from '../api/plane-api.ts';
import { readList, understood } from '../api/read.ts';
import { CommandFailure } from '../failure.ts';

export const applicationResource = z.object({
  id: z.string(),
  name: z.string(),
  declaration: z.string(),
  definitions: z.string().nullable(),
});
export type ApplicationResource = z.infer<typeof applicationResource>;

/** An application declaration from a file, its first repository at the given place when one is given. */
export function declarationFrom(file: string, location: string | undefined): ApplicationDeclaration {
  const text = readFileSync(file, 'utf8');
  const parsed = applicationDeclaration.safeParse(parse(text));
  if (!parsed.success)
    throw new CommandFailure(`${file} is no application declaration:\n${z.prettifyError(parsed.error)}`);
  if (location === undefined) return parsed.data;
  return {
    ...parsed.data,
    repositories: parsed.data.repositories.map((each, index) => (index === 0 ? { ...each, location } : each)),
  };
}

/** The application of this name, when there is one. */
export async function findApplication(operator: PlaneApi, name: string): Promise<ApplicationResource | undefined> {
  return (await readList(operator, applicationResource, '/applications')).find((each) => each.name === name);
}

/**
 * A known application at the place of a repository that was given: all that people declared of it is kept, and only the place is changed where it is
 * another, which `beforeMove` may refuse by throwing. Declarations are read as auditor.
 */
export async function keepDeclared(
  operator: PlaneApi,
  auditor: PlaneApi,
  known: ApplicationResource,
  location: string,
  beforeMove: (registeredAt: string | undefined) => void,
  second?: Second,
): Promise<{
  readonly application: ApplicationResource;
  readonly moved: boolean;
  readonly defaultBranch: string | undefined;
}> {
  const path = `/artifacts/${known.declaration}`;
  const declared = understood(applicationDeclaration, await (await auditor.fetch('GET', path)).json(), path);
  const at = Math.max(
    0,
    declared.repositories.findIndex(({ name }) => name === known.name),
  );
  const defaultBranch = declared.repositories[at]?.defaultBranch;
  if (declared.repositories[at]?.location === location) return { application: known, moved: false, defaultBranch };
  beforeMove(declared.repositories[at]?.location);
  const repositories = declared.repositories.map((each, index) => (index === at ? { ...each, location } : each));
  return {
    application: await ensureApplication(operator, { ...declared, repositories }, second),
    moved: true,
    defaultBranch,
  };
}

/** Has a second person decide on an approval; false when nobody could be asked. */
export type Second = (approval: string) => Promise<boolean>;

const declaredResource = applicationResource
  .omit({ definitions: true })
  .extend({ approval: z.string().nullable().default(null) });

/**
 * The application of this name, registered by its declaration when there is none, and brought up to date when it differs. What a second
 * person has to approve is put before `second`; throws a CommandFailure while the new declaration is not in force.
 */
export async function ensureApplication(
  operator: PlaneApi,
  declaration: ApplicationDeclaration,
  second?: Second,
): Promise<ApplicationResource> {
  const known = await findApplication(operator, declaration.name);
  const answer =
    known === undefined
      ? await operator.call('POST', '/applications', { json: declaration })
      : await operator.call('PUT', `/applications/${known.id}`, { json: declaration });
  const { approval, ...registered } = understood(declaredResource, answer, '/applications');
  const definitions = known?.definitions ?? null;
  if (approval === null) return { ...registered, definitions };
  if (second !== undefined && (await second(approval))) {
    const approved = await findApplication(operator, declaration.name);
    if (approved !== undefined && approved.declaration !== registered.declaration) return approved;
  }
  throw new CommandFailure(
    `The new declaration of ${declaration.name} is not in force: it changes what judges changes, so another person approves it first: factory --as policy-owner approve ${approval}. Then call this again.`,
  );
}
