import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PACKET_FIELDS } from '../../shared/domain/packet/fields.ts';
import { packetSchema } from '../../shared/domain/packet/schema.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { codes, goodPacket, refusalOf } from './packets.ts';

type Node = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
};

/** Pointers of the fields of a schema: what holds no named fields itself is one. */
function fieldsOf(node: Node, at = ''): string[] {
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives !== undefined) return alternatives.flatMap((each) => fieldsOf(each, at));
  if (node.type === 'array' && node.items?.properties !== undefined) return fieldsOf(node.items, `${at}/*`);
  if (node.properties === undefined) return [at];
  return Object.entries(node.properties).flatMap(([key, child]) => fieldsOf(child, `${at}/${key}`));
}

const schema = z.toJSONSchema(packetSchema, { io: 'input', unrepresentable: 'any' }) as Node;

it('every field of a packet has its word, and no other', () => {
  expect(Object.keys(PACKET_FIELDS).toSorted()).toEqual([...new Set(fieldsOf(schema))].toSorted());
});

/** For every field that is enforced or measured: the file and the title of a test that breaks it. */
const BROKEN_BY: Readonly<Record<string, readonly [file: string, title: string]>> = {
  '/apiVersion': ['intake/packet.test.ts', 'another version'],
  '/kind': ['intake/packet.test.ts', 'another kind'],
  '/scope/repository': ['intake/validate-packet.test.ts', 'refuses a repository outside the application'],
  '/scope/ref': ['effects/fetch-source.test.ts', 'a branch that is not there is for a person'],
  '/scope/allowedPaths': ['verify/cheating.test.ts', 'a path that the packet does not allow is out of scope'],
  '/scope/deniedPaths': ['verify/cheating.test.ts', 'out of scope, and so is a denied one'],
  '/mustNotChange/paths': ['verify/cheating.test.ts', 'a path that must not change is out of scope'],
  '/mustNotChange/packages': [
    'stations/dependency-update.test.ts',
    'that takes others along by a major step is out of scope, before and after it is made',
  ],
  '/mustNotChange/publicApi': ['stations/dependency-update.test.ts', 'that changes what the package offers is invalid'],
  '/context/files': ['verify/baseline.test.ts', 'missing context ends the request only where the packet says so'],
  '/context/tests': ['verify/baseline.test.ts', 'missing context ends the request only where the packet says so'],
  '/boundary/allowedCommands': ['intake/validate-packet.test.ts', 'refuses a command that neither the packet nor'],
  '/boundary/secrets': ['intake/packet.test.ts', "['secrets', "],
  '/reproduction/command': ['verify/baseline.test.ts', 'could not reproduce what already works'],
  '/reproduction/expect': ['intake/packet.test.ts', 'another expectation'],
  '/validation/checks': ['intake/validate-packet.test.ts', 'refuses checks and scenarios nobody declared'],
  '/validation/scenarios': ['intake/validate-packet.test.ts', 'refuses checks and scenarios nobody declared'],
  '/validation/commands': ['verify/cheating.test.ts', 'a command that nobody allowed is not run'],
  '/validation/testsMayChange': ['verify/cheating.test.ts', 'a test file that the packet releases may change'],
  '/noOpRules': ['line/core.test.ts', 'keeps from ending as nothing to do asks a person'],
  '/evidenceRequired': ['seal/required-evidence.test.ts', 'not recorded is never delivered'],
  '/risk/atLeast': ['gates/risk.test.ts', 'raises and never lowers'],
  '/risk/securityExceptions': ['gates/risk.test.ts', 'a security exception is critical'],
  '/output/format': ['intake/validate-packet.test.ts', 'refuses a format the line does not offer'],
  '/deadline': ['line/core.test.ts', 'begins nothing after its deadline'],
  '/priority': ['line/core.test.ts', 'of a higher priority is worked on first'],
  '/line/name': ['intake/validate-packet.test.ts', 'refuses a line that is not installed'],
  '/line/patch': ['verify/cheating.test.ts', "a change that is not what the packet's patch makes is invalid"],
  '/line/patchBase64': [
    'patch/properties.test.ts',
    'a patch gives the right tree or a refusal, on its own base and on one that went on; never another tree',
  ],
  '/line/rules/*/id': ['intake/packet.test.ts', 'duplicate_rule'],
  '/line/rules/*/language': ['stations/api-migration.test.ts', 'rewrites every call in its language and scope'],
  '/line/rules/*/rule': ['stations/api-migration.test.ts', 'a change by hand is judged by the same rules'],
  '/line/rules/*/constraints': ['stations/api-migration.test.ts', 'serves constraints, transformations and utilities'],
  '/line/rules/*/utils': ['stations/api-migration.test.ts', 'serves constraints, transformations and utilities'],
  '/line/mayMove': ['stations/package-moves.test.ts', 'what passes the default boundary moves only what the update'],
  '/line/copies': ['stations/direct-copies.test.ts', 'a manifest that still leads to a copy outside is invalid'],
  '/line/ecosystem': ['intake/packet.test.ts', 'another ecosystem'],
  '/line/package': ['stations/dependency-update.test.ts', 'moves manifest and lockfile into the range'],
  '/line/range': ['intake/packet.test.ts', 'no semver range'],
  '/line/environment': ['intake/validate-packet.test.ts', 'names an environment that the application declares'],
  '/line/allow': ['verify/azure-deployment.test.ts', 'what the packet does not allow is asked about'],
};

describe('a field that is enforced or measured', () => {
  const held = Object.entries(PACKET_FIELDS).flatMap(([pointer, { word }]) =>
    word === 'enforced' || word === 'measured' ? [pointer] : [],
  );

  it('has a test that breaks it', () => {
    expect(Object.keys(BROKEN_BY).toSorted()).toEqual(held.toSorted());
  });

  it.each(Object.entries(BROKEN_BY))('%s: the test is there', (_pointer, [file, title]) => {
    const text = readFileSync(path.join(import.meta.dirname, '..', file), 'utf8');
    expect(text.includes(title), `${file} has no test "${title}"`).toBe(true);
  });
});

const SPOILT: Record<string, Record<string, unknown>> = {
  '/scope/services': { scope: { ...goodPacket().scope, services: ['billing'] } },
  '/scope/customers': { scope: { ...goodPacket().scope, customers: ['one'] } },
  '/scope/systems': { scope: { ...goodPacket().scope, systems: ['crm'] } },
  '/edgeCases': { edgeCases: ['nothing'] },
  '/context/docs': { context: { docs: ['a page'] } },
  '/context/decisions': { context: { decisions: ['one'] } },
  '/context/failureModes': { context: { failureModes: ['it stops'] } },
  '/context/links': { context: { links: ['https://example.com'] } },
  '/tools/mcp': { tools: { mcp: ['search'] } },
  '/tools/cli': { tools: { cli: ['git'] } },
  '/tools/readOnly': { tools: { readOnly: ['search'] } },
  '/tools/mutating': { tools: { mutating: ['deploy'] } },
  '/tools/denied': { tools: { denied: ['curl'] } },
  '/boundary/network': { boundary: { network: 'registry' } },
  '/boundary/services': { boundary: { services: ['database'] } },
  '/stopCondition': { stopCondition: 'after a day' },
};
/** What a rule of ast-grep may hold and this line does not serve is refused by the schema itself. */
for (const field of ['rewriters', 'files', 'ignores', 'severity', 'message', 'note', 'url', 'labels', 'metadata']) {
  const rule = { id: 'one', language: 'typescript', rule: { pattern: 'old($A)' }, fix: 'new($A)', [field]: ['x'] };
  SPOILT[`/line/rules/*/${field}`] = { line: { name: 'api-migration', rules: [rule] } };
}
const refusalWith = (more: Record<string, unknown>) =>
  refusalOf(() => parsePacket(Buffer.from(JSON.stringify({ ...goodPacket(), ...more })), 'application/json'));

describe('a field that nothing serves', () => {
  it.each(Object.entries(SPOILT))('%s is refused where it is set, with what to do in its place', (pointer, more) => {
    const { details, status } = refusalWith(more);
    expect(status).toBe(422);
    const code = pointer.startsWith('/line/') ? 'not_served' : 'field_not_served';
    expect(codes(details)).toEqual([`${pointer.replace('*', '0')} ${code}`]);
    const term = PACKET_FIELDS[pointer];
    expect(details[0]?.message).toContain(term?.word === 'refused' ? term.instead : 'no such field');
  });

  it('is each of the refused ones', () => {
    const refused = Object.entries(PACKET_FIELDS).flatMap(([pointer, { word }]) =>
      word === 'refused' ? [pointer] : [],
    );
    expect(Object.keys(SPOILT).toSorted()).toEqual(refused.toSorted());
  });

  it('may be spelt out as empty', () => {
    const empty = { tools: { cli: [], denied: [] }, boundary: { network: 'none', services: [] }, edgeCases: [] };
    const packet = { ...goodPacket(), ...empty };
    expect(() => parsePacket(Buffer.from(JSON.stringify(packet)), 'application/json')).not.toThrow();
  });

  it.each(['screenshots', 'traces'])('is the evidence "%s", which no task makes', (kind) => {
    const { details } = refusalWith({ evidenceRequired: ['diff', kind] });
    expect(codes(details)).toEqual(['/evidenceRequired/1 field_not_served']);
  });

  it('still parses in a packet that was stored before it was refused', () => {
    const { line: _line, ...fields } = Object.assign({}, ...Object.values(SPOILT)) as Record<string, unknown>;
    const stored = { ...goodPacket(), ...fields, evidenceRequired: ['traces'] };
    expect(packetSchema.safeParse(stored).success).toBe(true);
  });
});
