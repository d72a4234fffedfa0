import type { Document } from '../bicep/document.ts';
import { possible } from '../bicep/possible.ts';
import type { Value } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import type { Landing } from '../landing.ts';
import { DEPARTURES, UNPUBLISHED } from '../requests/packages.ts';
import type { Published, PublishedRequests } from '../requests/published.ts';
import published from '../requests/requests.json' with { type: 'json' };
import { KINDS } from '../resource-kinds.ts';

/** Names that the template language has at the top of a resource, beside those of the request. */
const OF_THE_LANGUAGE = ['name', 'scope', 'parent', 'dependsOn', 'asserts', 'type', 'apiVersion', 'condition', 'copy'];
const AGAIN = 'npm run infra:types reads it';

/** Every name that a template writes, and every literal where a list of values is published, is one of the request that the service takes. */
function* requests(documents: readonly Document[], known: PublishedRequests): Iterable<Fault> {
  for (const { document, resource } of made(documents)) {
    const request = known[resource.type]?.request;
    if (request === undefined && UNPUBLISHED[resource.type] === undefined)
      yield fault(
        document,
        resource.line,
        `the request of ${resource.type} is not known: name its package in requests/packages.ts; ${AGAIN}`,
      );
    for (const { path, line, what } of request === undefined ? [] : against(document, resource.body, request, ''))
      if (DEPARTURES[`${resource.type} ${path}`] === undefined)
        yield fault(document, line, `${resource.name}: ${path} ${what}`);
  }
}

/** A departure that is none any more, and a request that is kept though no template makes it. */
function* leftOver(landing: Landing, known: PublishedRequests): Iterable<Fault> {
  const all = [...made(landing.templates)];
  const departed = new Set(
    all.flatMap(({ document, resource }) =>
      [...against(document, resource.body, known[resource.type]?.request ?? 'any', '')].map(
        ({ path }) => `${resource.type} ${path}`,
      ),
    ),
  );
  for (const place of Object.keys(DEPARTURES))
    if (!departed.has(place))
      yield { where: 'requests/packages.ts', what: `${place} is as published: take it off the list of departures` };
  for (const type of [...Object.keys(known), ...Object.keys(UNPUBLISHED)])
    if (!all.some(({ resource }) => resource.type === type))
      yield { where: 'requests/packages.ts', what: `no template makes a ${type}: take it off` };
}

function* made(documents: readonly Document[]) {
  for (const document of documents)
    for (const resource of document.resources) if (!resource.existing) yield { document, resource };
}

type Departure = { readonly path: string; readonly line: number; readonly what: string };

function* against(document: Document, value: Value, request: Published, path: string): Iterable<Departure> {
  if (request === 'any') return;
  for (const one of possible(document, value)) {
    if (one.kind === 'object') yield* names(document, one, request, path);
    else if (one.kind === 'text' && Array.isArray(request)) {
      if (!one.interpolated && !request.includes(one.text))
        yield { path, line: one.line, what: `is '${one.text}', and takes ${request.join(', ')}` };
    } else if (['text', 'number', 'boolean'].includes(one.kind) && !Array.isArray(request))
      yield { path, line: one.line, what: `is ${one.source}, and takes an object` };
  }
}

function* names(
  document: Document,
  written: Value & { readonly kind: 'object' },
  request: Published,
  path: string,
): Iterable<Departure> {
  for (const { name, value } of written.properties) {
    const place = path === '' ? name : `${path}.${name}`;
    if (path === '' && OF_THE_LANGUAGE.includes(name)) continue;
    if (request === 'object') yield { path: place, line: value.line, what: `is not kept here: ${AGAIN}` };
    else if (typeof request === 'string' || Array.isArray(request))
      yield { path: place, line: value.line, what: 'is of an object, where one value is taken' };
    else {
      const inner = (request as { readonly [name: string]: Published })[name];
      if (inner !== undefined) yield* against(document, value, inner, place);
      else if (!('*' in request) && !name.startsWith('${'))
        yield { path: place, line: value.line, what: 'is no name of the request' };
    }
  }
}

const known = published as unknown as PublishedRequests;

export const requestChecks: readonly Check[] = [
  {
    id: 'requests',
    title: 'names and values are of the published requests',
    onResources: (documents) => requests(documents, known),
    run: (landing) => leftOver(landing, known),
  },
];

/** How far the requests were compared, in words: what the check could not do. */
export function requestsCompared(): readonly string[] {
  const types = Object.entries(known);
  const apart = types.filter(([type, { apiVersions }]) => !apiVersions.includes(KINDS[type]?.version ?? ''));
  const packages = [...new Set(apart.map(([, { from }]) => from))].map((from) => {
    const own = apart.filter(([, request]) => request.from === from);
    return `${from} (${own.length}, ${[...new Set(own.map(([, { apiVersions }]) => apiVersions.at(-1)))].join(' ')})`;
  });
  return [
    `requests at their own API version: of ${types.length} types ${types.length - apart.length} are compared at it, ${apart.length} at a neighbouring one, since no package speaks it: ${packages.join(', ')}`,
    `requests that are published nowhere: ${Object.keys(UNPUBLISHED).join(', ')}`,
  ];
}
