import { PRICES, PRICES_ASSUMED, UNPRICED } from '../cost/prices.ts';
import { CALLS } from '../demand/call.ts';
import { LATENCIES } from '../limits/latencies.ts';
import type { Limit } from '../limits/limit.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import { markdown } from './tables.ts';

function sourceOf(limit: Limit): string {
  if ('published' in limit) return limit.published;
  if ('recalled' in limit) return `from memory, not looked up: ${limit.recalled}`;
  if ('template' in limit) return limit.template;
  return 'code' in limit ? limit.code : `assumed: ${limit.assumed}`;
}

const limitTable = (limits: Readonly<Record<string, Limit>>): string =>
  markdown(
    ['parameter', 'value', 'unit', 'from'],
    Object.entries(limits).map(([name, limit]) => [name, String(limit.value), limit.unit, sourceOf(limit)]),
  );

/** Every number that the model takes from outside. */
export function parameterTables(): string {
  const demand = Object.entries(CALLS).map(([name, call]) => [name, ...Object.values(call).map(String)]);
  const prices = Object.entries(PRICES).map(([name, { usd, per }]) => [name, String(usd), per]);
  const { region, currency, at, basis } = PRICES_ASSUMED;
  return [
    'Limits\n',
    limitTable(LIMITS_OF_SERVICES),
    '\nTimes\n',
    limitTable(LATENCIES),
    '\nCalls of control\n',
    markdown(['call', ...Object.keys(CALLS.submit)], demand),
    `\nPrices (${currency}, ${region}, ${at}: ${basis}; without ${UNPRICED.join(', ')})\n`,
    markdown(['price', currency, 'for one'], prices),
  ].join('\n');
}
