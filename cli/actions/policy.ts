import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { examine, readDefinitions } from '../../shared/definitions/read.ts';
import { ACTIONS, type Action, type PolicyResources, ROLES } from '../../shared/gates/policy/actions.ts';
import { parseJsonBounded } from '../../shared/intake/json.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, print, printJson } from '../output/terminal.ts';
import { definitionsIn } from './definitions-directory.ts';
import { tellFaults } from './line.ts';

const QUESTION_BYTES = 64 * 1024;

const question = z.strictObject({
  principal: z.strictObject({
    kind: z.enum(['User', 'Worker']),
    id: z.string(),
    tenant: z.string(),
    roles: z.array(z.enum(ROLES)),
  }),
  action: z.enum(Object.keys(ACTIONS) as [Action, ...Action[]]),
  resource: z.looseObject({ id: z.string(), tenant: z.string() }),
  context: z
    .strictObject({
      freshAuthentication: z.boolean(),
      changes: z.array(z.string()).optional(),
      seconded: z.boolean().optional(),
    })
    .default({ freshAuthentication: false }),
});

/** Prints what is wrong with the policies; the exit code says whether something is. */
export async function checkPolicy(options: { definitions: string }, command: Command): Promise<void> {
  const bundle = await definitionsIn(options.definitions);
  tellFaults(examine(bundle).faults, bundle.digest, globalOptions(command).json);
}

/** Prints what the policies answer and why; the exit code is 1 when they deny. */
export async function explainDecision(file: string, options: { definitions: string }, command: Command): Promise<void> {
  const asked = question.safeParse(parseJsonBounded(readFileSync(file), { maxBytes: QUESTION_BYTES, maxDepth: 8 }));
  if (!asked.success)
    throw new CommandFailure(`${file} is no question to the policies:\n${z.prettifyError(asked.error)}`);
  const { policy: engine } = readDefinitions(await definitionsIn(options.definitions));
  const { principal, action, resource, context } = asked.data;
  const decision = engine.decide({
    principal,
    action,
    context,
    resource: resource as unknown as PolicyResources['Tenant'],
  } as Parameters<typeof engine.decide>[0]);
  if (!decision.allow) process.exitCode = 1;
  if (globalOptions(command).json) return printJson(decision);
  print(`${bold(decision.allow ? 'allowed' : 'denied')} by policy ${decision.policyDigest}`);
  for (const [index, id] of decision.determining.entries()) print(`  ${id}: ${decision.reasons[index] ?? ''}`);
  for (const error of decision.errors) print(`  could not be evaluated: ${error}`);
  if (!decision.allow && decision.determining.length === 0 && decision.errors.length === 0)
    print('  no rule permits it');
}
