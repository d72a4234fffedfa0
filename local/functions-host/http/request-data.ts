import type { IncomingMessage } from 'node:http';
import type { NullableValues, TypedData } from '../app/typed-data.ts';

/** What of an HTTP request travels beside its body. */
export interface RequestValues {
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
  /** Of the route. */
  readonly parameters: Record<string, string>;
}

/** Gathers a request's values; a header or query value given several times is joined by commas. */
export function readValues(request: IncomingMessage, url: URL, routeParameters: Record<string, string>): RequestValues {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  // Node keeps the first of these alone; the real host shows an app both.
  const credentials = request.headersDistinct.authorization ?? [];
  if (credentials.length > 1) headers['authorization'] = credentials.join(',');
  const query: Record<string, string> = {};
  for (const [name, value] of url.searchParams) query[name] = name in query ? `${query[name]},${value}` : value;
  return { url, headers, query, parameters: routeParameters };
}

/**
 * The trigger metadata of an HTTP invocation. With streams the library reads headers and parameters from here, and takes
 * the query's values for parameters too, since the real host puts both into its metadata.
 */
export function toTriggerMetadata(values: RequestValues): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {
    Query: { json: JSON.stringify(values.query) },
    Headers: { json: JSON.stringify(values.headers) },
  };
  for (const [name, value] of Object.entries({ ...values.query, ...values.parameters }))
    metadata[name] = { string: value };
  return metadata;
}

export function toNullable(values: Record<string, string>): NullableValues {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}
