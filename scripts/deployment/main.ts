import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { makePlan, planText, readPlan } from '../../shared/domain/deployment/plan.ts';
import { overlapping } from './address-ranges.ts';
import { deploymentRights } from './deployment-rights.ts';
import { overlayHost } from './host-overlay.ts';

/**
 * What the shell scripts of `infra/scripts` leave to a program. Exit code 1 with one line when something is not as it must be.
 *
 *     plan DIR ENVIRONMENT SUBSCRIPTION STACK LOCATION   plan.json out of template.json, parameters.json and what-if.json of DIR
 *     unpack PLAN DIR                                    its template.json and parameters.json, and prints its target, a value a line
 *     summary PLAN                                       what it would change, in one line
 *     overlaps RANGE                                     networks (az network vnet list on standard input) that share an address
 *     rights TEXT                                        subscription and role of what FACTORY_DEPLOYMENT_RIGHTS gives, a pair a line
 *     host HOST OVERLAY                                  puts the settings of a durable backend over a package's host.json
 */
const networks = z.array(z.object({ name: z.string(), ranges: z.array(z.string()).nullable() }));
const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const put = (file: string, value: unknown): void => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const commands: Readonly<Record<string, (...of: string[]) => void>> = {
  plan(directory = '', environment = '', subscription = '', stack = '', location = '') {
    const part = (name: string): unknown => json(path.join(directory, name));
    const target = { environment, subscription, stack, location };
    const plan = makePlan(target, part('what-if.json'), part('parameters.json'), part('template.json'));
    writeFileSync(path.join(directory, 'plan.json'), planText(plan));
  },
  unpack(file = '', directory = '') {
    const { target, parameters, template } = readPlan(readFileSync(file, 'utf8'));
    put(path.join(directory, 'parameters.json'), parameters);
    put(path.join(directory, 'template.json'), template);
    for (const value of [target.environment, target.subscription, target.stack, target.location]) console.log(value);
  },
  summary(file = '') {
    const { summary } = readPlan(readFileSync(file, 'utf8'));
    const parts = Object.entries(summary).map(([type, count]) => `${type} ${count}`);
    console.log(parts.length === 0 ? 'nothing would change' : parts.join(', '));
  },
  overlaps(range = '') {
    for (const { name, ranges } of networks.parse(JSON.parse(readFileSync(0, 'utf8'))))
      for (const other of overlapping(range, ranges ?? [])) console.log(`${name} (${other})`);
  },
  rights(text = '') {
    for (const { subscriptionId, roleDefinitionIds } of deploymentRights(text))
      for (const role of roleDefinitionIds) console.log(`${subscriptionId} ${role}`);
  },
  host(file = '', overlay = '') {
    put(file, overlayHost(json(file), json(overlay)));
  },
};

const [name = '', ...rest] = process.argv.slice(2);
try {
  const command = commands[name];
  if (command === undefined) throw new Error(`There is no command ${name}: ${Object.keys(commands).join(', ')}.`);
  command(...rest);
} catch (error) {
  console.error(error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message);
  process.exitCode = 1;
}
