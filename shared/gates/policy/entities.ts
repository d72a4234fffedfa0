import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyPrincipal, ResourceType } from './actions.ts';

/** Attributes that name other entities, with their type; every other attribute is a plain value. */
const REFERENCES: Readonly<Record<string, string>> = {
  application: 'Application',
  owner: 'User',
  user: 'User',
  requestedBy: 'User',
  plannedBy: 'User',
  delegates: 'User',
  authoredBy: 'Worker',
  tier: 'Tier',
  risk: 'Tier',
};

export const entityId = (type: string, id: string): Cedar.TypeAndId => ({ type: `Factory::${type}`, id });

/** The entities that a question is about, as Cedar's JSON: ids are values, never text to parse, so no id can speak Cedar. */
export function entitiesOf(
  principal: PolicyPrincipal,
  type: ResourceType,
  resource: { readonly id: string },
): Cedar.EntityJson[] {
  const { id, ...attributes } = resource;
  return [
    {
      uid: entityId(principal.kind, principal.id),
      attrs: { tenant: principal.tenant },
      parents: principal.roles.map((role) => entityId('Role', role)),
    },
    {
      uid: entityId(type, id),
      attrs: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attribute(name, value)])),
      parents: [],
    },
  ];
}

function attribute(name: string, value: unknown): Cedar.CedarValueJson {
  if (Array.isArray(value)) return value.map((item: unknown) => attribute(name, item));
  const type = REFERENCES[name];
  if (type !== undefined && typeof value === 'string') return { __entity: entityId(type, value) };
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  throw new TypeError(
    `The attribute "${name}" of a policy question is ${typeof value}; a text, number, truth value or list of texts is needed.`,
  );
}
