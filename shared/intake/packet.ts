import { type Digest, digestOfValue } from '../domain/digest.ts';
import { LIMITS } from '../domain/limits.ts';
import { LINE_NAMES } from '../domain/packet/line-input.ts';
import { type Packet, packetSchema } from '../domain/packet/schema.ts';
import { Refusal, type RefusalDetail } from '../domain/refusal.ts';
import { hiddenTextFaults } from './hidden-text.ts';
import { readJson } from './json.ts';
import { packetFaults, unknownLine } from './packet-faults.ts';
import { pointerTo } from './pointer.ts';
import { locator } from './position.ts';
import { schemaFaults } from './schema-faults.ts';
import { readYaml } from './yaml.ts';

export type ParsedPacket = {
  readonly packet: Packet;
  /** Digest of the canonical JSON (RFC 8785) of what was parsed, defaults included: the root of the digest chain. */
  readonly digest: Digest;
};

type Reader = (bytes: Uint8Array) => { value: unknown } | { fault: RefusalDetail };
const READERS: ReadonlyMap<string, Reader> = new Map([
  ['application/json', readPacketJson],
  ['application/yaml', readPacketYaml],
  ['application/x-yaml', readPacketYaml],
  ['text/yaml', readPacketYaml],
]);
const YAML_TOKENS = 20_000;
const MAXIMUM_DETAILS = 50;
const LOCATED_JSON_BYTES = 64 * 1024;
/** What the templates write where a value belongs. */
const PLACEHOLDER = 'FILL-IN';
/** The placeholder alone, or with a hint kept behind it; a text that goes on in words speaks of it. */
const LEFT_OVER = /^\s*FILL-IN\s*(?:$|[:#])/;

/**
 * A task packet out of JSON or plain YAML. Refuses with 415 `FACTORY-MEDIA-TYPE` any other content type, with 413
 * `FACTORY-PACKET-TOO-LARGE` more than LIMITS.packet has room for, and with 422 `FACTORY-PACKET-INVALID` everything else, one detail a
 * fault: JSON pointer, stable code, what to do. Throws nothing but `Refusal`, whatever the bytes. What only an application or
 * a product line can tell is `validatePacket`'s.
 */
export function parsePacket(bytes: Uint8Array, mediaType: string): ParsedPacket {
  const read = READERS.get(mediaType.split(';')[0]?.trim().toLowerCase() ?? '');
  if (read === undefined) {
    throw new Refusal(
      415,
      'FACTORY-MEDIA-TYPE',
      `A packet can't be read as ${JSON.stringify(mediaType.slice(0, 100))}. Send it as application/json or application/yaml.`,
    );
  }
  requireSize(bytes.byteLength, LIMITS.packet.documentBytes, 'The packet, its patch included,');
  const document = read(bytes);
  if ('fault' in document) throw invalid([readable(document.fault)]);
  const leftover = leftoverFaults(document.value);
  const parsed = packetSchema.safeParse(document.value, { reportInput: true });
  if (!parsed.success) {
    const wrong = schemaFaults(parsed.error.issues).map((fault) => lineFault(fault, document.value));
    // What nobody filled in is told once, as that.
    const unfilled = new Set(leftover.map(({ pointer }) => pointer));
    throw invalid([...withLines(leftover, bytes, read), ...wrong.filter(({ pointer }) => !unfilled.has(pointer))]);
  }
  requireSize(bytesBesidePatch(parsed.data), LIMITS.packet.bytes, 'The packet, beside its patch,');
  const lost = read === readPacketYaml ? lineEndFaults(bytes, parsed.data) : [];
  if (lost.length > 0) throw invalid(lost);
  const faults = [...withLines(leftover, bytes, read), ...hiddenTextFaults(parsed.data), ...packetFaults(parsed.data)];
  if (faults.length > 0) throw invalid(faults);
  return { packet: parsed.data, digest: digestOfValue(parsed.data) };
}

/** What a packet document says, unjudged; undefined when it can't be read. */
export function readPacketValue(bytes: Uint8Array, mediaType: string): unknown {
  const read = READERS.get(mediaType);
  const document = read === undefined || bytes.byteLength > LIMITS.packet.documentBytes ? undefined : read(bytes);
  return document !== undefined && 'value' in document ? document.value : undefined;
}

function requireSize(bytes: number, limit: number, what: string): void {
  if (bytes <= limit) return;
  throw new Refusal(
    413,
    'FACTORY-PACKET-TOO-LARGE',
    `${what} has ${bytes} bytes; the limit is ${limit}, and ${LIMITS.packet.patchBytes} for a patch itself. Refer to large context by link, or split the work.`,
  );
}

function bytesBesidePatch({ line, ...rest }: Packet): number {
  const { patch: _text, patchBase64: _bytes, ...input } = { patch: undefined, patchBase64: undefined, ...line };
  return Buffer.byteLength(JSON.stringify({ ...rest, line: input }));
}

/** Bytes that are no text have a way in where they are those of a patch. */
const readable = (fault: RefusalDetail): RefusalDetail =>
  fault.code === 'encoding'
    ? {
        ...fault,
        message: `${fault.message} A patch of files that are not UTF-8 is handed in as bytes: line.patchFile, or line.patchBase64 in the API.`,
      }
    : fault;

/** YAML reads every line end as a line feed (YAML 1.2.2 §5.4); where lines differ in theirs, those of the patch are no longer known. */
function lineEndFaults(bytes: Uint8Array, { line }: Packet): RefusalDetail[] {
  if (line.name !== 'patch' || line.patch === undefined) return [];
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const at = lines.findIndex((each) => each.endsWith('\r'));
  if (at < 0 || lines.slice(0, -1).every((each) => each.endsWith('\r'))) return [];
  return [
    {
      pointer: '/line/patch',
      code: 'line_ends_lost',
      message: `Line ${at + 1} of the document ends in CR LF and others in LF. YAML takes the carriage returns (CR) away, so the patch is not the one that was made. Hand it in by line.patchFile, as JSON, or as line.patchBase64.`,
    },
  ];
}

/** A product line that has no input schema fits none of the alternatives: told by its name, with the names there are. */
function lineFault(fault: RefusalDetail, value: unknown): RefusalDetail {
  if (fault.pointer === '/line/patchFile')
    return {
      ...fault,
      message:
        'The plane reads no file of yours: "factory" puts the bytes of patchFile into the packet it submits. Through the API, send them as patchBase64.',
    };
  if (fault.pointer !== '/line' || fault.code !== 'no_alternative_fits') return fault;
  const line = typeof value === 'object' && value !== null && 'line' in value ? value.line : undefined;
  const name = typeof line === 'object' && line !== null && 'name' in line ? line.name : undefined;
  return typeof name === 'string'
    ? unknownLine(name)
    : {
        ...fault,
        pointer: '/line/name',
        code: 'missing',
        message: `The product line's name is missing. Known: ${LINE_NAMES.join(', ')}.`,
      };
}

/** Places of the template that nobody filled in. */
function leftoverFaults(value: unknown, path: readonly string[] = []): RefusalDetail[] {
  if (typeof value === 'string')
    return LEFT_OVER.test(value)
      ? [
          {
            pointer: pointerTo(path),
            code: 'not_filled_in',
            message: `It still says ${PLACEHOLDER}. Replace it.`,
          },
        ]
      : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => leftoverFaults(child, [...path, key]));
}

/** The same faults with their lines, where there are any: looking for them costs another parse. */
function withLines(faults: readonly RefusalDetail[], bytes: Uint8Array, read: Reader): RefusalDetail[] {
  // YAML was bounded by its tokens as it was read; JSON is bounded here.
  if (faults.length === 0 || (read !== readPacketYaml && bytes.byteLength > LOCATED_JSON_BYTES)) return [...faults];
  const text = new TextDecoder().decode(bytes);
  const positionOf = locator(text);
  return faults.map((fault) => {
    const position = positionOf(fault.pointer);
    if (position === undefined) return fault;
    const at = Math.max(position.offset, text.indexOf(PLACEHOLDER, position.offset));
    const line = position.line + text.slice(position.offset, at).split('\n').length - 1;
    return { ...fault, message: `Line ${line} still says ${PLACEHOLDER}. Replace it.` };
  });
}

/** The refusal of a packet with all its faults, the first of which is told in the message. */
export function invalid(faults: readonly RefusalDetail[]): Refusal {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const message = `The packet can't be accepted: ${first?.pointer ? `${first.pointer}: ` : ''}${first?.message ?? ''}${more} Correct it and submit it again; nothing was started.`;
  return new Refusal(422, 'FACTORY-PACKET-INVALID', message, { details: faults.slice(0, MAXIMUM_DETAILS) });
}

function readPacketJson(bytes: Uint8Array): { value: unknown } | { fault: RefusalDetail } {
  return readJson(bytes, LIMITS.packet.depth);
}

function readPacketYaml(bytes: Uint8Array): { value: unknown } | { fault: RefusalDetail } {
  return readYaml(bytes, { maxDepth: LIMITS.packet.depth, maxTokens: YAML_TOKENS });
}
