import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type Digest, digestOfValue } from '../../domain/digest.ts';

/** The package's Node entry is CommonJS whose names an ESM import cannot see: it is required. */
export const cedar: typeof Cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');

/** The schema and the platform's own rules, shipped beside this file. */
export const POLICY_SCHEMA = readFileSync(new URL('./factory.cedarschema', import.meta.url), 'utf8');
export const PLATFORM_POLICIES = readFileSync(new URL('./platform.cedar', import.meta.url), 'utf8');

const SCHEMA_NAME = 'factory';
/** One slot an action of a policy set: a few sets are in force at a time. */
const SLOTS = 128;
let schemaParsed = false;

/** Keys in the order of their last use; the value is the name of the slot in Cedar's own cache. */
const slots = new Map<string, string>();

/**
 * Names of the parsed schema and of the parsed policies under this key, parsing what is not there. Parsing at each decision
 * was measured at 126 decisions a second, parsed once at 1,709. Cedar's cache has no removal, so a bounded number of names is
 * written over, the least recently used first.
 */
export function parsedOnce(
  key: string,
  policies: () => Readonly<Record<string, string>>,
): { schema: string; policies: string } {
  if (!schemaParsed) {
    mustParse(cedar.preparseSchema(SCHEMA_NAME, POLICY_SCHEMA));
    schemaParsed = true;
  }
  let slot = slots.get(key);
  if (slot === undefined) {
    slot = freeSlot();
    mustParse(cedar.preparsePolicySet(slot, { staticPolicies: { ...policies() } }));
  }
  slots.delete(key);
  slots.set(key, slot);
  return { schema: SCHEMA_NAME, policies: slot };
}

function freeSlot(): string {
  const oldest = slots.entries().next();
  if (slots.size < SLOTS || oldest.done) return `policies-${slots.size}`;
  const [key, slot] = oldest.value;
  slots.delete(key);
  return slot;
}

function mustParse(answer: Cedar.CheckParseAnswer): void {
  if (answer.type === 'failure')
    throw new Error(
      `The policy engine could not parse what was validated before: ${answer.errors.map((error) => error.message).join('; ')}`,
    );
}

/** What a set of rules is known by: its schema and every rule's text by its id. */
export const policyDigest = (policies: Readonly<Record<string, string>>): Digest =>
  digestOfValue({ schema: POLICY_SCHEMA, policies });
