import { z } from 'zod';
import { pathOf, type Route, route } from './route.ts';

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  instance: z.string(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
});

type Json = Readonly<Record<string, unknown>>;

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  }) as Record<string, unknown>;
  return rest;
};

/** The description of the API (OpenAPI 3.1), made from the very schemas that validate. */
export function describe(routes: readonly Route[], serverUrl: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of routes) {
    const path = pathOf(one);
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operationOf(one) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Agent Factory', version: '1', description: 'A governed software factory control plane.' },
    servers: [{ url: serverUrl }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operationOf(one: Route): Json {
  return {
    operationId: one.name,
    summary: one.summary,
    parameters: [...pathParameters(one.path), ...queryParameters(one), ...headerParameters(one)],
    ...(one.access.kind === 'public' ? { security: [] } : {}),
    ...bodyOf(one),
    responses: responsesOf(one),
    'x-factory-access': one.access,
  };
}

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{([a-z]+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function queryParameters(one: Route): Json[] {
  if (one.query === undefined) return [];
  const schema = schemaOf(one.query, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    in: 'query',
    required: schema.required?.includes(name) === true && property['default'] === undefined,
    schema: property,
  }));
}

const headerParameters = (one: Route): Json[] =>
  Object.entries(one.headers ?? {}).map(([name, { required, description }]) => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
  }));

function bodyOf(one: Route): Json {
  // No body is read as an empty object, so a body is only required where that is refused.
  if (one.body !== undefined)
    return {
      requestBody: {
        required: !one.body.safeParse({}).success,
        content: { 'application/json': { schema: schemaOf(one.body, 'input') } },
      },
    };
  if (one.raw !== undefined)
    return { requestBody: { required: true, content: Object.fromEntries(one.raw.map((type) => [type, {}])) } };
  return {};
}

function responsesOf(one: Route): Json {
  const responses: Record<string, Json> = {
    default: {
      description: 'A problem (RFC 9457)',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  };
  for (const [status, answer] of Object.entries(one.answers)) {
    responses[status] =
      typeof answer === 'string'
        ? { description: answer }
        : { description: 'As described', content: { 'application/json': { schema: schemaOf(answer, 'output') } } };
  }
  return responses;
}

/** The route that serves the description of all routes, itself included. */
export function openApiRoute(all: () => readonly Route[]): Route {
  let text: string | undefined;
  return route({
    method: 'GET',
    path: '/openapi.json',
    name: 'openapi',
    summary: 'This description.',
    access: {
      kind: 'public',
      because: 'It describes the API and holds no data; what it describes is in the public source.',
    },
    answers: { 200: 'OpenAPI 3.1' },
    async handle({ plane }) {
      text ??= JSON.stringify(describe(all(), plane.settings.publicUrl));
      return {
        status: 200,
        body: text,
        headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' },
      };
    },
  });
}
