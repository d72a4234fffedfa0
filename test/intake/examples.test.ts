import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadBundle } from '../../shared/definitions/bundle.ts';
import { readDefinitions } from '../../shared/definitions/read.ts';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { LINE_NAMES } from '../../shared/domain/packet/line-input.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { packetTemplate } from '../../shared/intake/template.ts';
import { surroundingFaults } from '../../shared/intake/validate-packet.ts';
import { filledIn } from './packets.ts';

const { lines } = readDefinitions(await loadBundle('definitions'));
const EXAMPLES = ['parcel-rates', 'address-labels'].flatMap((example) =>
  readdirSync(`examples/${example}/packets`).map((name) => `examples/${example}/packets/${name}`),
);

function faultsOf(text: string, application?: string): readonly unknown[] {
  const { packet } = parsePacket(Buffer.from(text), 'application/yaml');
  const declaration =
    application === undefined
      ? {}
      : { declaration: applicationDeclaration.parse(parse(readFileSync(application, 'utf8'))) };
  return surroundingFaults(packet, { line: lines.get(packet.line.name)?.line, now: Date.now(), ...declaration });
}

describe('a plane takes', () => {
  it.each(EXAMPLES.filter((file) => !file.endsWith('malformed.yaml')))('%s', (file) => {
    expect(faultsOf(readFileSync(file, 'utf8'), file.replace(/packets\/.*$/, 'application.yaml'))).toEqual([]);
  });

  it.each(LINE_NAMES)('the filled template of %s', (line) => {
    expect(faultsOf(filledIn(packetTemplate(line)))).toEqual([]);
  });

  it('every packet that a document runs', () => {
    const named = ['README.md', 'docs/api.md'].flatMap((file) => [
      ...readFileSync(file, 'utf8').matchAll(/examples\/[\w-]+\/packets\/[\w-]+\.yaml/g),
    ]);
    expect(named.length).toBeGreaterThan(0);
    for (const [file] of named) expect(EXAMPLES).toContain(file);
  });
});
