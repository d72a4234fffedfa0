import { z } from 'zod';

/** Azure Deployment Stack Contributor (infra/shared/roles.bicep), which is given anyway. */
const STACK_CONTRIBUTOR = 'bf7f8882-3383-422a-806a-6526c631a88a';

const roles = z
  .array(z.guid().lowercase())
  .max(16)
  .refine((all) => new Set([...all, STACK_CONTRIBUTOR]).size === all.length + 1, {
    message: 'a role is named once, and Azure Deployment Stack Contributor is given anyway',
  });
const rights = z
  .array(z.strictObject({ subscriptionId: z.guid(), roleDefinitionIds: roles }))
  .max(16)
  .refine((all) => new Set(all.map(({ subscriptionId }) => subscriptionId.toLowerCase())).size === all.length, {
    message: 'a subscription has one entry',
  });

/** What `deploymentRights` of the templates takes, out of the text of its variable. @throws Error that says what is wrong with it. */
export function deploymentRights(text: string): z.infer<typeof rights> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error('it is no JSON');
  }
  return rights.parse(given);
}
