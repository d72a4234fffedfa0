import type { Command } from 'commander';
import { openPlaneApi } from '../api/plane-api.ts';
import { readResource } from '../api/read.ts';
import { applicationCostResource } from '../api/resources.ts';
import { globalOptions } from '../options.ts';
import { print, printJson } from '../output/terminal.ts';
import { applicationNamed } from './install.ts';

/** Prints what an application spent this month, and of what. */
export async function showCost(name: string, command: Command): Promise<void> {
  const operator = await openPlaneApi({ ...globalOptions(command), as: 'operator' });
  const { id } = await applicationNamed(operator, name);
  const { costs } = await readResource(operator, applicationCostResource, `/applications/${id}`);
  if (globalOptions(command).json) return printJson(costs);
  const spent = costs.spent.map(({ amount, currency }) => `${amount} ${currency}`).join(', ');
  const { budget } = costs;
  const of = budget === null ? '' : ` of ${budget.monthly} ${budget.currency} (${budget.usedPercent} %)`;
  if (costs.prices === null) print('No prices are set (FACTORY_PRICES): nothing costs anything.');
  print(`${costs.month}  ${spent || 'nothing'}${of}`);
}
