import { describe, expect, test } from 'vitest';
import { readDocument } from '../../scripts/infra/bicep/document.ts';
import { readDeclarations } from '../../scripts/infra/requests/declarations.ts';
import { shapeFromMappers } from '../../scripts/infra/requests/from-mappers.ts';
import { shapeFromSerializers } from '../../scripts/infra/requests/from-serializers.ts';
import { SOURCES, UNPUBLISHED } from '../../scripts/infra/requests/packages.ts';
import { publish } from '../../scripts/infra/requests/publish.ts';
import type { Shape } from '../../scripts/infra/requests/shape.ts';
import { KINDS } from '../../scripts/infra/resource-kinds.ts';
import { check, edited } from './landing.ts';

const faults = async (file: string, from: string, to: string): Promise<string> =>
  (await check(edited(file, from, to)))
    .filter(({ check: id }) => id === 'requests')
    .map(({ what }) => what)
    .join('\n');

describe('a name or value that no request takes is found', () => {
  test.each([
    ['modules/sql.bicep', 'minimalTlsVersion', 'minimumTlsVersion', 'server: properties.minimumTlsVersion is no name'],
    [
      'modules/sql.bicep',
      "administratorType: 'ActiveDirectory'\n      azure",
      "administratorType: 'Entra'\n      azure",
      'takes ActiveDirectory',
    ],
    [
      'modules/worker-job.bicep',
      "lifecycle: 'Main'",
      "lifecycle: 'Always'",
      "is 'Always', and takes All, Init, Main, None",
    ],
    ['modules/worker-job.bicep', 'pollingInterval: 15', 'pollingSeconds: 15', 'scale.pollingSeconds is no name'],
    ['modules/keyvault.bicep', "kty: 'RSA'", "kty: 'Rsa'", "is 'Rsa', and takes"],
    // Behind a variable, inside a loop, on one side of a choice.
    [
      'modules/keyvault.bicep',
      'timeAfterCreate: rotationAge',
      'afterCreate: rotationAge',
      'trigger.afterCreate is no name',
    ],
    [
      'modules/network.bicep',
      'defaultOutboundAccess: false',
      'outboundAccess: false',
      'properties.outboundAccess is no name',
    ],
    [
      'modules/storage-host.bicep',
      "private ? 'Disabled' : 'Enabled'",
      "private ? 'Disabled' : 'Open'",
      "is 'Open', and takes Disabled, Enabled",
    ],
    // A parameter of listed values.
    [
      'modules/servicebus.bicep',
      "param sku 'Standard' | 'Premium'",
      "param sku 'Standard' | 'Best'",
      "sku.name is 'Best', and takes",
    ],
    [
      'modules/function-app.bicep',
      'httpsOnly: true',
      'httpsOnly: true\n    siteConfiguration: {}',
      'properties.siteConfiguration is no name',
    ],
    [
      'modules/servicebus.bicep',
      "minimumTlsVersion: '1.2'\n",
      '',
      'minimumTlsVersion is as published: take it off the list',
    ],
  ])('%s: %j → %j', async (file, from, to, words) => {
    const found = await faults(file, from, to);
    expect(found).toContain(words);
  });

  test('and so is a place that was not read from the published types yet', async () => {
    expect(
      await faults(
        'modules/function-app.bicep',
        'httpsOnly: true',
        'httpsOnly: true\n    cloningInfo: { overwrite: true }',
      ),
    ).toContain('npm run infra:types reads it');
  });
});

test('every type that the templates may make has a published request, or a reason why not', () => {
  const known = [...Object.keys(SOURCES), ...Object.keys(UNPUBLISHED)].sort();
  expect(known).toEqual(Object.keys(KINDS).sort());
});

/** What two generators of clients write, cut down. */
const DECLARATIONS = readDeclarations(`
export declare enum KnownTone {
    /** High */
    High = "high",
    Low = "low"
}
export type Tone = string;
export type Size = "S" | "M";
export interface Bell {
    /** Its tone. */
    tone?: Tone;
    size?: Size;
    readonly weight?: number;
    clapper?: Clapper;
    parts?: Clapper[];
    labels?: Record<string, string>;
}
export interface Clapper {
    metal: "iron" | "brass";
}
export declare function bellSerializer(item: Bell): any;
export declare function _bellPropertiesSerializer(item: Bell): any;
export declare function clapperSerializer(item: Clapper): any;
`);
const SERIALIZERS = `
export function bellSerializer(item) {
    return {
        labels: item["labels"],
        properties: areAllPropsUndefined(item, ["tone", "size"]) ? undefined : _bellPropertiesSerializer(item),
    };
}
export function _bellPropertiesSerializer(item) {
    return {
        tone: item["tone"],
        theSize: item["size"],
        clapper: !item["clapper"]
            ? item["clapper"]
            : clapperSerializer(item["clapper"]),
        parts: !item["parts"] ? item["parts"] : clapperArraySerializer(item["parts"]),
    };
}
export function clapperArraySerializer(result) {
    return result.map((item) => {
        return clapperSerializer(item);
    });
}
export function clapperSerializer(item) {
    return { metal: item["metal"], of: clapperUnionSerializer(item["of"]) };
}
export function clapperUnionSerializer(item) {
    switch (item.kind) {
        case "Rod":
            return clapperSerializer(item);
        default:
            return item;
    }
}
`;
const string = { name: 'String' };
const clapper = { name: 'Composite', className: 'Clapper' };
const MAPPERS = {
  Clapper: {
    type: {
      ...clapper,
      modelProperties: {
        metal: { serializedName: 'metal', type: { name: 'Enum', allowedValues: ['iron', 'brass'] } },
        of: { serializedName: 'of', type: clapper },
      },
    },
  },
  Bell: {
    type: {
      name: 'Composite',
      className: 'Bell',
      modelProperties: {
        labels: { serializedName: 'labels', type: { name: 'Dictionary' } },
        tone: { serializedName: 'properties.tone', type: string },
        size: { serializedName: 'properties.theSize', type: string },
        weight: { serializedName: 'properties.weight', readOnly: true, type: { name: 'Number' } },
        clapper: { serializedName: 'properties.clapper', type: clapper },
        parts: { serializedName: 'properties.parts', type: { name: 'Sequence', element: { type: clapper } } },
      },
    },
  },
};

describe.each<readonly [string, () => Shape | undefined]>([
  ['serializers', () => shapeFromSerializers(SERIALIZERS, DECLARATIONS, 'Bell')],
  ['mappers', () => shapeFromMappers(MAPPERS, DECLARATIONS, 'Bell')],
])('a request as %s have it', (_name, read) => {
  test('is kept where the templates write, with values, and without what is only answered', async () => {
    const document = await readDocument(
      'a.bicep',
      "resource bell 'A.B/bells@2020-01-01' = {\n  properties: { tone: 'high', theSize: 'S', parts: [{ metal: 'iron' }] }\n}\n",
    );
    expect(publish(read()!, [{ document, value: document.resources[0]!.body }])).toEqual({
      labels: 'any',
      properties: {
        clapper: 'object',
        parts: { metal: ['brass', 'iron'], of: 'object' },
        theSize: ['M', 'S'],
        tone: ['high', 'low'],
      },
    });
  });
});

test('a model that a package does not have is none', () => {
  expect(shapeFromSerializers(SERIALIZERS, DECLARATIONS, 'Gong')).toBeUndefined();
  expect(shapeFromMappers(MAPPERS, DECLARATIONS, 'Gong')).toBeUndefined();
});
