import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describe as described } from '../../functions/control/http/openapi.ts';
import { ROUTES } from '../../functions/control/http/routes.ts';

/**
 * The structural rules of OpenAPI 3.1.0 for the objects that the description has (Paths §4.8.8, Operation §4.8.10, Parameter §4.8.12,
 * Request Body §4.8.13, Responses §4.8.16, Components §4.8.7); every other field is a fault. Schemas are JSON Schema 2020-12.
 */
const schema = z.record(z.string(), z.unknown());
const content = z.record(z.string().regex(/^[a-z]+\/[a-z0-9.+-]+$/), z.strictObject({ schema: schema.optional() }));
const parameter = z
  .strictObject({
    name: z.string().min(1),
    in: z.enum(['path', 'query', 'header', 'cookie']),
    required: z.boolean(),
    description: z.string().optional(),
    schema,
  })
  .refine((one) => one.in !== 'path' || one.required, 'a path parameter is required')
  .refine(
    (one) => one.in !== 'header' || !/^(accept|content-type|authorization)$/i.test(one.name),
    'such a header parameter is ignored',
  );
const operation = z.strictObject({
  operationId: z.string().min(1),
  summary: z.string().min(1),
  parameters: z.array(parameter),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^([1-5]\d\d|default)$/),
    z.strictObject({ description: z.string().min(1), content: content.optional() }),
  ),
  'x-factory-access': z.unknown(),
});
const openapi = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  servers: z.array(z.strictObject({ url: z.url() })).min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  paths: z.record(
    z.string().regex(/^(\/([^{}/]+|\{[a-z]+\}))+$/),
    z.partialRecord(z.enum(['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace']), operation),
  ),
  components: z.strictObject({ schemas: z.record(z.string(), schema), securitySchemes: z.record(z.string(), schema) }),
});

const document = JSON.parse(JSON.stringify(described(ROUTES, 'http://127.0.0.1:7071'))) as unknown;
const parsed = openapi.safeParse(document);
const operations = Object.entries(parsed.data?.paths ?? {}).flatMap(([at, item]) =>
  Object.entries(item).map(([method, one]) => ({ at, method, one })),
);

const inside = (value: unknown): Record<string, unknown>[] =>
  typeof value !== 'object' || value === null
    ? []
    : [
        ...(Array.isArray(value) ? [] : [value as Record<string, unknown>]),
        ...Object.values(value).flatMap((part) => inside(part)),
      ];

describe('the description of the API', () => {
  it('is an OpenAPI 3.1 document', () => {
    expect(parsed.error?.issues).toBeUndefined();
    expect(operations.length).toBeGreaterThan(50);
  });

  it('names each parameter once, and the path its own', () => {
    for (const { at, one } of operations) {
      const named = one.parameters.map((each) => `${each.in} ${each.name.toLowerCase()}`);
      expect(new Set(named).size).toBe(named.length);
      const inPath = one.parameters.filter((each) => each.in === 'path').map((each) => `{${each.name}}`);
      expect(inPath).toEqual(at.match(/\{[a-z]+\}/g) ?? []);
    }
  });

  it('has no two paths that are one but for the names of parameters', () => {
    const templates = Object.keys(parsed.data?.paths ?? {}).map((at) => at.replace(/\{[a-z]+\}/g, '{}'));
    expect(new Set(templates).size).toBe(templates.length);
  });

  it('refers to nothing that is not there', () => {
    const references = inside(document).flatMap((value) => (typeof value['$ref'] === 'string' ? [value['$ref']] : []));
    for (const reference of new Set(references)) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] ?? reference;
      expect(Object.keys(parsed.data?.components.schemas ?? {})).toContain(name);
    }
    const schemes = Object.keys(parsed.data?.components.securitySchemes ?? {});
    for (const { one } of operations)
      for (const each of one.security ?? []) for (const name of Object.keys(each)) expect(schemes).toContain(name);
  });

  it('requires a body where an empty one is refused, and only there', () => {
    const required = (id: string): boolean | undefined =>
      operations.find(({ one }) => one.operationId === id)?.one.requestBody?.required;
    expect([required('requests-cancel'), required('requests-retry'), required('requests-read')]).toEqual([
      true,
      false,
      undefined,
    ]);
  });
});
