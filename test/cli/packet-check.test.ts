import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { packetTemplate } from '../../shared/intake/template.ts';
import { factory, temporary } from './factory-process.ts';

const written = (name: string, text: string): string => {
  const file = path.join(temporary(), name);
  writeFileSync(file, text);
  return file;
};

test('packet check takes a good packet, and says what it could not look at', async () => {
  const file = 'examples/parcel-rates/packets/fix-rounding.yaml';
  const { code, out } = await factory(['packet', 'check', file]);
  expect(out).toMatch(/^Not looked at: its repository.*\nGood: sha256:[0-9a-f]{64}\n$/);
  expect(code).toBe(0);
});

describe('packet check refuses', () => {
  test('an unfilled template, with the line of each place', async () => {
    const text = packetTemplate('patch');
    const file = written('packet.yaml', text);
    const { code, out } = await factory(['packet', 'check', file]);
    expect(code).toBe(1);
    const lines = text.split('\n').flatMap((line, index) => (/FILL-IN(?: #|$)/.test(line) ? [index + 1] : []));
    for (const line of lines) expect(out).toContain(`Line ${line} still says FILL-IN`);
  });

  test('each fault at its line and column, as text and as JSON', async () => {
    const file = 'examples/parcel-rates/packets/malformed.yaml';
    const { code, out } = await factory(['packet', 'check', file]);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:7:1: /urgency: There is no field "urgency" here.`);
    expect(out).toContain('a plane would refuse the packet');
    const json = await factory(['packet', 'check', file, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      digest: null,
      faults: expect.arrayContaining([
        expect.objectContaining({ pointer: '/urgency', code: 'unknown_field', line: 7, column: 1 }),
      ]),
    });
  });

  test('what only the application can tell, where its declaration is given', async () => {
    const packet = readFileSync('examples/parcel-rates/packets/fix-rounding.yaml', 'utf8');
    const file = written('packet.yaml', packet.replace('checks: [unit]', 'checks: [units]\n  commands: [[make, all]]'));
    const { code, out } = await factory([
      'packet',
      'check',
      file,
      '--declaration',
      'examples/parcel-rates/application.yaml',
    ]);
    expect(code).toBe(1);
    expect(out).toMatch(/packet\.yaml:19:12: .*unknown_check/);
    expect(out).toMatch(/packet\.yaml:20:14: .*command_not_allowed/);
  });

  test('what is no packet by its name or its syntax, or is not there', async () => {
    expect(await factory(['packet', 'check', written('packet.txt', 'a')])).toMatchObject({ code: 1, out: '' });
    expect(await factory(['packet', 'check', path.join(temporary(), 'absent.yaml')])).toMatchObject({
      code: 1,
      out: '',
    });
    const { code, out } = await factory(['packet', 'check', written('packet.yaml', 'goal: [one\nintent: two')]);
    expect(code).toBe(1);
    expect(out).toMatch(/packet\.yaml:2: Line 2 is not YAML/);
  });

  test('a line that these definitions do not have', async () => {
    const definitions = temporary();
    cpSync('definitions', definitions, { recursive: true });
    const manifest = path.join(definitions, 'manifest.yaml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('  - lines/patch.yaml\n', ''));
    rmSync(path.join(definitions, 'lines/patch.yaml'));
    const file = 'examples/parcel-rates/packets/fix-rounding.yaml';
    const { code, out } = await factory(['packet', 'check', file, '--definitions', definitions]);
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('unknown_line') });
  });
});
