import { EVIDENCE_UNSERVED, PACKET_FIELDS } from '../domain/packet/fields.ts';
import type { Packet } from '../domain/packet/schema.ts';
import type { RefusalDetail } from '../domain/refusal.ts';

/** Fields of a packet that it sets and nothing serves, one fault each: why, and what to do in its place. */
export function fieldFaults(packet: Packet): RefusalDetail[] {
  const fields = Object.entries(PACKET_FIELDS).flatMap(([pointer, term]) => {
    if (term.word !== 'refused' || !isSet(valueAt(packet, pointer), term.unset)) return [];
    return [
      notServed(
        pointer,
        `${pointer.slice(1).replaceAll('/', '.')} is not served: ${lowered(term.how)} ${term.instead}`,
      ),
    ];
  });
  const evidence = packet.evidenceRequired.flatMap((kind, index) => {
    const instead = EVIDENCE_UNSERVED[kind];
    return instead === undefined
      ? []
      : [
          notServed(
            `/evidenceRequired/${index}`,
            `No task makes the evidence "${kind}", so the request could never end as PR_READY. Require ${instead}, or take it out.`,
          ),
        ];
  });
  return [...fields, ...evidence];
}

const notServed = (pointer: string, message: string): RefusalDetail => ({ pointer, code: 'field_not_served', message });

const isSet = (value: unknown, unset: string | undefined): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== unset;

function valueAt(root: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), root);
}

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
