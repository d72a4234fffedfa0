import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVIDENCE_UNSERVED, PACKET_FIELDS } from '../../shared/domain/packet/fields.ts';
import { packetSchema } from '../../shared/domain/packet/schema.ts';
import { code, document, filesBelow, root, section, tableRows } from './documents.ts';

const text = document('packet.md');

describe('the page of the packet', () => {
  it('says of every field what the table says', () => {
    const rows = tableRows(section(text, '## What becomes of each field'));
    expect(rows.map(([field, word, how]) => [code(field), word, how])).toEqual(
      Object.entries(PACKET_FIELDS).map(([field, term]) => [
        field,
        term.word,
        term.word === 'refused' ? `${term.how} ${term.instead}` : term.how,
      ]),
    );
  });

  it('names every kind of evidence that can be required', () => {
    const rows = tableRows(section(text, '## Evidence required')).map(([kind]) => code(kind));
    const kinds = packetSchema.shape.evidenceRequired.unwrap().element.options;
    const served = kinds.filter((kind) => EVIDENCE_UNSERVED[kind] === undefined);
    expect(rows.toSorted()).toEqual(served.toSorted());
  });

  it('names faults that intake has', () => {
    const sources = [
      ...filesBelow('shared/intake', '.ts'),
      ...filesBelow('shared/domain/packet', '.ts'),
      ...filesBelow('shared/domain/deployment', '.ts'),
    ]
      .map((file) => readFileSync(path.join(root, file), 'utf8'))
      .join('\n');
    const named = tableRows(section(text, '## What is found at submit')).flatMap(([codes = '']) =>
      [...codes.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    expect(named.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });
});
