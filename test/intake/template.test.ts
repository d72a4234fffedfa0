import { describe, expect, it } from 'vitest';
import { LINE_NAMES } from '../../shared/domain/packet/line-input.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { packetTemplate } from '../../shared/intake/template.ts';
import { filledIn, refusalOf } from './packets.ts';

describe.each(LINE_NAMES)('the template of %s', (line) => {
  it('is refused as it stands', () => {
    expect(refusalOf(() => parsePacket(Buffer.from(packetTemplate(line)), 'application/yaml')).status).toBe(422);
  });

  it('parses once it is filled in', () => {
    const text = filledIn(packetTemplate(line));
    expect(text).not.toMatch(/: FILL-IN/);
    expect(parsePacket(Buffer.from(text), 'application/yaml').packet.line.name).toBe(line);
  });

  it('is refused while one place is left', () => {
    const text = filledIn(packetTemplate(line)).replace('intent: some text', 'intent: FILL-IN');
    expect(
      refusalOf(() => parsePacket(Buffer.from(text), 'application/yaml')).details.map((detail) => detail.code),
    ).toEqual(['not_filled_in']);
  });
});

it('there is none for an unknown line', () => {
  expect(refusalOf(() => packetTemplate('constructor')).code).toBe('FACTORY-LINE-UNKNOWN');
});
