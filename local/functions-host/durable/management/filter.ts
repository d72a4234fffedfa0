import type { InstanceFilter, PagePosition } from '../../store/instance-query.ts';
import { runtimeStatuses } from '../../store/instance-record.ts';

/** A parameter of the request that can't be used; answered with 400. */
export class BadParameterError extends Error {
  override name = 'BadParameterError';
}

/** The filter that a query string asks for. Statuses this host never gives match nothing. */
export function parseFilter(query: URLSearchParams): InstanceFilter {
  const statuses = query.get('runtimeStatus');
  const from = parseTime(query, 'createdTimeFrom');
  const to = parseTime(query, 'createdTimeTo');
  const prefix = query.get('instanceIdPrefix');
  const named = statuses?.split(',').map((status) => status.trim().toLowerCase());
  return {
    ...(named === undefined
      ? {}
      : { statuses: runtimeStatuses.filter((status) => named.includes(status.toLowerCase())) }),
    ...(from === undefined ? {} : { createdFrom: from }),
    ...(to === undefined ? {} : { createdTo: to }),
    ...(prefix === null ? {} : { idPrefix: prefix }),
  };
}

/** How many instances a page holds, 1 to 1,000; 100 unless asked. */
export function parsePageSize(query: URLSearchParams): number {
  const top = query.get('top');
  if (top === null) return 100;
  const size = Number(top);
  if (!Number.isInteger(size) || size < 1) throw new BadParameterError(`top=${top} is no page size; 1 to 1000.`);
  return Math.min(size, 1_000);
}

export function writeContinuation(position: PagePosition): string {
  return Buffer.from(JSON.stringify([position.createdAt, position.id])).toString('base64url');
}

export function readContinuation(token: string | undefined): PagePosition | undefined {
  if (token === undefined || token === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parsed) && typeof parsed[0] === 'number' && typeof parsed[1] === 'string') {
      return { createdAt: parsed[0], id: parsed[1] };
    }
  } catch {
    // Told below, as any other token that is not ours.
  }
  throw new BadParameterError('The continuation token was not given out by this host.');
}

function parseTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new BadParameterError(`${name}=${text} is no time; write ISO 8601.`);
  return time;
}
