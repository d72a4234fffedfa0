import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOfValue } from '../../shared/domain/digest.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { Refusal } from '../../shared/domain/refusal.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { codes, goodPacket, PATCH, refusalOf } from './packets.ts';

const json = (value: unknown) => parsePacket(Buffer.from(JSON.stringify(value)), 'application/json');
const faultsOf = (value: unknown): string[] => {
  const refusal = refusalOf(() => json(value));
  expect([refusal.status, refusal.code]).toEqual([422, 'FACTORY-PACKET-INVALID']);
  for (const detail of refusal.details) expect(detail.message).toMatch(/\.$/);
  return codes(refusal.details);
};
const spoilt = (spoil: (packet: ReturnType<typeof goodPacket>) => void): string[] => {
  const packet = goodPacket();
  spoil(packet);
  return faultsOf(packet);
};

describe('a text that hides something', () => {
  it.each([
    ['a NUL', 'a\u0000b'],
    ['an escape', '\u001b[2J'],
    ['a turned direction', 'a\u202eb'],
    ['an isolate', 'a\u2066b'],
  ])('%s is refused where it stands', (_what, text) => {
    expect(spoilt((packet) => Object.assign(packet, { goal: text }))).toEqual(['/goal hidden_character']);
    expect(spoilt((packet) => Object.assign(packet, { nonGoals: ['fine', text], rollback: text })).sort()).toEqual([
      '/nonGoals/1 hidden_character',
      '/rollback hidden_character',
    ]);
  });

  it('is none for its line ends, tabs, joiners or a language written from right to left', () => {
    for (const goal of ['one\ntwo\r\n\tthree', '\u05e9\u05dc\u05d5\u05dd \u200fA', '\u{1f468}\u200d\u{1f4bb}'])
      expect(json({ ...goodPacket(), goal }).packet.goal).toBe(goal);
  });
});

describe('a good packet', () => {
  it('parses with its defaults, and its digest is that of what was parsed', () => {
    const { packet, digest } = json(goodPacket());
    expect(packet.output.format).toBe('pull_request');
    expect(packet.priority).toBe(5);
    expect(digest).toBe(digestOfValue(packet));
  });

  it('has one digest whatever its syntax, key order and spelt-out defaults', () => {
    const { digest } = json(goodPacket());
    const turned = Object.fromEntries(Object.entries({ ...goodPacket(), priority: 5, nonGoals: [] }).toReversed());
    expect(json(turned).digest).toBe(digest);
    const yaml = `apiVersion: factory/v1
kind: TaskPacket
goal: add(1, 2) is 3
intent: The sum is wrong.
source: { kind: person }
scope: { repository: shop, allowedPaths: ['src/**'] }
acceptance:
  - { given: two numbers, when: they are added, then: the sum is right }
line:
  name: patch
  patch: |
${PATCH.trimEnd()
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`;
    expect(parsePacket(Buffer.from(yaml), 'application/yaml; charset=utf-8').digest).toBe(digest);
    expect(parsePacket(Buffer.from(yaml.replace('is 3', 'is 4')), 'text/yaml').digest).not.toBe(digest);
  });

  it('takes each product line', () => {
    const line = (value: unknown) => json({ ...goodPacket(), line: value }).packet.line.name;
    expect(
      line({
        name: 'api-migration',
        rules: [
          {
            id: 'r',
            language: 'typescript',
            rule: { pattern: 'old($A)', inside: { kind: 'program', stopBy: 'end' } },
            fix: 'new($A)',
          },
        ],
      }),
    ).toBe('api-migration');
    expect(line({ name: 'dependency-update', ecosystem: 'npm', package: '@scope/left-pad', range: '>=1.2.3 <2' })).toBe(
      'dependency-update',
    );
    expect(line({ name: 'bench' })).toBe('bench');
    expect(line({ name: 'bench-fan-out' })).toBe('bench-fan-out');
  });
});

describe('what must not change', () => {
  it('may be part of what is in scope', () => {
    const packet = { ...goodPacket(), mustNotChange: { paths: ['src/api/**'], packages: ['x'], publicApi: true } };
    expect(json(packet).packet.mustNotChange?.paths).toEqual(['src/api/**']);
  });
});

describe('a place that nobody filled in', () => {
  const yaml = `apiVersion: factory/v1
kind: TaskPacket
goal: FILL-IN
intent: "The sum is wrong."
source: { kind: person }
scope:
  repository: FILL-IN
  allowedPaths:
    - FILL-IN # e.g. src/**
acceptance: []
line:
  name: patch
  patch: |
    FILL-IN
`;

  it('is called that, with its line, and once', () => {
    const { details } = refusalOf(() => parsePacket(Buffer.from(yaml), 'application/yaml'));
    expect(details.map(({ pointer, code, message }) => `${pointer} ${code} ${/^Line \d+/.exec(message)?.[0]}`)).toEqual(
      [
        '/goal not_filled_in Line 3',
        '/scope/repository not_filled_in Line 7',
        '/scope/allowedPaths/0 not_filled_in Line 9',
        '/line/patch not_filled_in Line 14',
      ],
    );
  });

  it('is found in JSON as well', () => {
    const text = JSON.stringify({ ...goodPacket(), intent: 'FILL-IN' }, null, 2);
    const { details } = refusalOf(() => parsePacket(Buffer.from(text), 'application/json'));
    expect(details[0]?.message).toBe('Line 5 still says FILL-IN. Replace it.');
  });

  it('is found with its hint kept behind it', () => {
    for (const intent of ['FILL-IN: why', 'FILL-IN # e.g. why', ' FILL-IN\n']) {
      const { details } = refusalOf(() => json({ ...goodPacket(), intent }));
      expect(details[0]).toMatchObject({ pointer: '/intent', code: 'not_filled_in' });
    }
    expect(() => json({ ...goodPacket(), intent: 'FILL-IN is no word of a form' })).not.toThrow();
  });

  it('is none where code speaks of it', () => {
    const patch = PATCH.replace('a + b', 'a + b; // FILL-IN');
    expect(() => json({ ...goodPacket(), line: { name: 'patch', patch } })).not.toThrow();
  });
});

describe('envelope', () => {
  it('refuses another content type with 415', () => {
    for (const type of ['text/plain', '', 'application/jsonx', 'x'.repeat(5_000)]) {
      const refusal = refusalOf(() => parsePacket(Buffer.from('{}'), type));
      expect([refusal.status, refusal.code]).toEqual([415, 'FACTORY-MEDIA-TYPE']);
      expect(refusal.message.length).toBeLessThan(300);
    }
  });

  it('refuses too many bytes with 413 before reading them', () => {
    const refusal = refusalOf(() =>
      parsePacket(Buffer.alloc(LIMITS.packet.documentBytes + 1, '['), 'application/json'),
    );
    expect([refusal.status, refusal.code]).toEqual([413, 'FACTORY-PACKET-TOO-LARGE']);
  });

  it('takes a patch of 1 MiB, as text and as bytes, and beside it no more than before', () => {
    const patch = `diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,6000 @@\n${`+${'é'.repeat(80)}\n`.repeat(6000)}`;
    expect(Buffer.byteLength(patch)).toBeGreaterThan(900_000);
    expect(json({ ...goodPacket(), line: { name: 'patch', patch } }).packet.line).toMatchObject({ patch });
    const patchBase64 = Buffer.from(patch).toString('base64');
    expect(json({ ...goodPacket(), line: { name: 'patch', patchBase64 } }).packet.line).toMatchObject({ patchBase64 });
    const more = refusalOf(() =>
      json({ ...goodPacket(), line: { name: 'patch', patchBase64: Buffer.from(patch + patch).toString('base64') } }),
    );
    expect(codes(more.details)).toEqual(['/line/patchBase64 too_large']);
    const beside = refusalOf(() =>
      json({
        ...goodPacket(),
        acceptance: Array.from({ length: 50 }, () => ({ given: 'x'.repeat(7_000), when: 'x', then: 'x' })),
      }),
    );
    expect([beside.status, beside.code]).toEqual([413, 'FACTORY-PACKET-TOO-LARGE']);
  });

  it('says of a patch in YAML that its line ends are lost, and of other bytes how they are handed in', () => {
    const yaml = (text: string | Buffer) => refusalOf(() => parsePacket(Buffer.from(text), 'application/yaml'));
    const document = (end: string) =>
      `apiVersion: factory/v1\nkind: TaskPacket\ngoal: g\nintent: i\nsource: { kind: person }\nscope: { repository: shop, allowedPaths: ["**"] }\nacceptance: [{ given: a, when: b, then: c }]\nline:\n  name: patch\n  patch: |\n    diff --git a/x b/x\n    --- a/x\n    +++ b/x\n    @@ -1 +1 @@\n    -a${end}\n    +b${end}\n`;
    expect(() => parsePacket(Buffer.from(document('')), 'application/yaml')).not.toThrow();
    expect(() => parsePacket(Buffer.from(document('').replaceAll('\n', '\r\n')), 'application/yaml')).not.toThrow();
    expect(codes(yaml(document('\r')).details)).toEqual(['/line/patch line_ends_lost']);
    expect(yaml(Buffer.from(document('\u00fc'), 'latin1')).message).toContain('patchFile');
  });

  it('refuses a depth of 100,000 as a fault, in either syntax', () => {
    for (const [text, type] of [
      ['['.repeat(100_000), 'application/json'],
      ['{"a":'.repeat(50_000), 'application/json'],
      ['['.repeat(100_000), 'application/yaml'],
      ['- '.repeat(100_000), 'application/yaml'],
      ['? '.repeat(100_000), 'application/yaml'],
    ] as const) {
      expect(codes(refusalOf(() => parsePacket(Buffer.from(text), type)).details)).toEqual([' too_deep']);
    }
  });
});

describe('the battery of bad packets', () => {
  it('names every fault at once, each where it is', () => {
    expect(
      faultsOf({
        kind: 'TaskPacket',
        extra: 1,
        scope: { repository: 'Shop', allowedPaths: [] },
        line: { name: 'patch' },
      }).toSorted(),
    ).toEqual(
      [
        '/apiVersion unknown_value',
        '/extra unknown_field',
        '/goal missing',
        '/intent missing',
        '/line/patch missing',
        '/scope/allowedPaths too_small',
        '/scope/repository wrong_format',
        '/source missing',
      ].toSorted(),
    );
  });

  it.each<[string, (packet: ReturnType<typeof goodPacket>) => void, string[]]>([
    ['blank goal', (packet) => (packet['goal'] = '  '), ['/goal too_small']],
    ['long goal', (packet) => (packet['goal'] = 'x'.repeat(LIMITS.packet.textLength + 1)), ['/goal too_large']],
    ['nobody can state done', (packet) => delete packet['acceptance'], ['/acceptance cannot_state_done']],
    [
      'a declared lack of reproduction is no way to state done',
      (packet) => Object.assign(packet, { acceptance: [], reproduction: { none: 'cosmetic' } }),
      ['/acceptance cannot_state_done'],
    ],
    [
      'allowed and denied, the same',
      (packet) => (packet.scope['deniedPaths'] = ['src/**']),
      ['/scope/allowedPaths/0 allowed_and_denied'],
    ],
    [
      'allowed inside denied',
      (packet) => Object.assign(packet.scope, { allowedPaths: ['docs/**', 'src/a/*.js'], deniedPaths: ['src/'] }),
      ['/scope/allowedPaths/1 allowed_and_denied'],
    ],
    [
      'a plain path that a denied glob matches',
      (packet) => Object.assign(packet.scope, { allowedPaths: ['src/key.pem'], deniedPaths: ['**/*.pem'] }),
      ['/scope/allowedPaths/0 allowed_and_denied'],
    ],
    [
      'test files that may change outside the scope',
      (packet) => (packet['validation'] = { testsMayChange: ['src/**/*.test.js', 'test/**'] }),
      ['/validation/testsMayChange/1 tests_out_of_scope'],
    ],
    [
      'test files that may change and are denied',
      (packet) =>
        Object.assign(packet, {
          scope: { ...packet.scope, deniedPaths: ['src/test/**'] },
          validation: { testsMayChange: ['src/test/add.test.js'] },
        }),
      ['/validation/testsMayChange/0 tests_out_of_scope'],
    ],
    [
      'everything in scope must not change',
      (packet) => (packet['mustNotChange'] = { paths: ['docs/**', '**'] }),
      ['/mustNotChange/paths/1 nothing_may_change'],
    ],
    [
      'the package that is updated must not change',
      (packet) =>
        Object.assign(packet, {
          mustNotChange: { packages: ['y', 'x'] },
          line: { name: 'dependency-update', ecosystem: 'npm', package: 'x', range: '1' },
        }),
      ['/mustNotChange/packages/1 nothing_may_change'],
    ],
    [
      'a pull request as evidence of a patch',
      (packet) => Object.assign(packet, { output: { format: 'patch' }, evidenceRequired: ['diff', 'pull_request'] }),
      ['/evidenceRequired/1 evidence_impossible'],
    ],
    [
      'a failed reproduction without one',
      (packet) => (packet['evidenceRequired'] = ['failed_reproduction']),
      ['/evidenceRequired/0 evidence_impossible'],
    ],
    [
      'two rules of one id',
      (packet) => {
        const rule = { id: 'one', language: 'typescript', rule: { pattern: 'old($A)' }, fix: 'new($A)' };
        packet.line = { name: 'api-migration', rules: [rule, rule] };
      },
      ['/line/rules/1/id duplicate_rule'],
    ],
    [
      'another ecosystem',
      (packet) => (packet.line = { name: 'dependency-update', ecosystem: 'pip', package: 'x', range: '1' }),
      ['/line/ecosystem unknown_value'],
    ],
    [
      'a rule for another language',
      (packet) => {
        packet.line = {
          name: 'api-migration',
          rules: [{ id: 'a', language: 'python', rule: { pattern: 'a' }, fix: 'b' }],
        };
      },
      ['/line/rules/0/language unknown_value'],
    ],
    ['another version', (packet) => (packet['apiVersion'] = 'factory/v2'), ['/apiVersion unknown_value']],
    ['another kind', (packet) => (packet['kind'] = 'Task'), ['/kind unknown_value']],
    [
      'another expectation',
      (packet) => (packet['reproduction'] = { command: ['true'], expect: 'passes' }),
      ['/reproduction/expect unknown_value'],
    ],
    ['absolute path', (packet) => (packet.scope['allowedPaths'] = ['/etc/**']), ['/scope/allowedPaths/0 invalid_glob']],
    [
      'path that climbs',
      (packet) => (packet.scope['allowedPaths'] = ['src/../../x']),
      ['/scope/allowedPaths/0 invalid_glob'],
    ],
    ['negated glob', (packet) => (packet.scope['allowedPaths'] = ['!src/**']), ['/scope/allowedPaths/0 invalid_glob']],
    ['extended glob', (packet) => (packet.scope['allowedPaths'] = ['+(a|b)*']), ['/scope/allowedPaths/0 invalid_glob']],
    [
      'glob that repeats',
      (packet) => (packet.scope['allowedPaths'] = ['a*a*a*a*b']),
      ['/scope/allowedPaths/0 invalid_glob'],
    ],
    [
      'glob with a range',
      (packet) => (packet.scope['allowedPaths'] = ['{1..9999999}']),
      ['/scope/allowedPaths/0 invalid_glob'],
    ],
    ['empty glob', (packet) => (packet.scope['allowedPaths'] = ['']), ['/scope/allowedPaths/0 invalid_glob']],
    ['branch that is an option', (packet) => (packet.scope['ref'] = '--upload-pack=x'), ['/scope/ref wrong_format']],
    ['branch that is a range', (packet) => (packet.scope['ref'] = 'a..b'), ['/scope/ref wrong_format']],
    [
      'url of a file',
      (packet) => (packet['source'] = { kind: 'ticket', url: 'file:///etc/passwd' }),
      ['/source/url wrong_format'],
    ],
    ['unknown line', (packet) => (packet.line = { name: 'rewrite-it-all' }), ['/line/name unknown_line']],
    ['line without a name', (packet) => (packet.line = { patch: PATCH }), ['/line/name missing']],
    ['not a patch', (packet) => (packet.line['patch'] = 'please fix it'), ['/line/patch not_a_patch']],
    ['a patch that was cut off', (packet) => (packet.line['patch'] = PATCH.slice(0, -20)), ['/line/patch not_a_patch']],
    [
      'a patch with unknown prefixes',
      (packet) => (packet.line['patch'] = PATCH.replaceAll('a/src', 'old/src').replaceAll('b/src', 'new/src')),
      ['/line/patch not_a_patch'],
    ],
    [
      'a patch given twice',
      (packet) => (packet.line['patchBase64'] = Buffer.from(PATCH).toString('base64')),
      ['/line/patchBase64 given_twice'],
    ],
    [
      'bytes that are no base64',
      (packet) => (packet.line = { name: 'patch', patchBase64: 'a b' }),
      ['/line/patchBase64 wrong_format'],
    ],
    [
      'a file where only bytes are read',
      (packet) => (packet.line = { name: 'patch', patchFile: 'x' }),
      ['/line/patchFile unknown_field', '/line/patch missing'],
    ],
    [
      'a patch that changes nothing',
      (packet) => (packet.line['patch'] = 'diff --git a/x b/x\n'),
      ['/line/patch not_a_patch'],
    ],
    [
      'no semver range',
      (packet) => (packet.line = { name: 'dependency-update', ecosystem: 'npm', package: 'x', range: 'newest' }),
      ['/line/range invalid_range'],
    ],
    [
      'an empty semver range',
      (packet) => (packet.line = { name: 'dependency-update', ecosystem: 'npm', package: 'x', range: '>=2 <1' }),
      ['/line/range invalid_range'],
    ],
    [
      'a package that is an option',
      (packet) => (packet.line = { name: 'dependency-update', ecosystem: 'npm', package: '--global', range: '1' }),
      ['/line/package wrong_format'],
    ],
    [
      'a command as a line of shell',
      (packet) => (packet['reproduction'] = { command: 'npm test' }),
      ['/reproduction/command wrong_type'],
    ],
    ['secrets', (packet) => (packet['boundary'] = { secrets: 'all' }), ['/boundary/secrets unknown_value']],
    ['priority out of bounds', (packet) => (packet['priority'] = 10), ['/priority too_large']],
    ['deadline that is no time', (packet) => (packet['deadline'] = 'tomorrow'), ['/deadline wrong_format']],
  ])('%s', (_name, spoil, expected) => {
    expect(spoilt(spoil)).toEqual(expected);
  });

  it('a language or an ecosystem that is not served is told with a way on', () => {
    const rule = { id: 'a', language: 'python', rule: { pattern: 'a' }, fix: 'b' };
    for (const line of [
      { name: 'api-migration', rules: [rule] },
      { name: 'dependency-update', ecosystem: 'pip', package: 'x', range: '1' },
    ])
      expect(refusalOf(() => json({ ...goodPacket(), line })).details).toMatchObject([
        { code: 'unknown_value', message: expect.stringMatching(/hand in "git diff" under the line "patch"/) },
      ]);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['no key of a rule', { patern: 'a' }, 'a', '/line/rules/0/rule not_a_rule'],
    ['an empty pattern', { pattern: ' ' }, 'a', '/line/rules/0/rule/pattern not_a_rule'],
    ['an empty list', { any: [] }, 'a', '/line/rules/0/rule/any not_a_rule'],
    ['a relation that is no rule', { pattern: 'a', inside: 'b' }, 'a', '/line/rules/0/rule/inside not_a_rule'],
    ['a replacement with a loose variable', { pattern: 'old($A)' }, 'new($B)', '/line/rules/0/fix unbound_variable'],
  ])('an ast-grep rule with %s', (_name, rule, fix, expected) => {
    expect(
      spoilt(
        (packet) => (packet.line = { name: 'api-migration', rules: [{ id: 'r', language: 'typescript', rule, fix }] }),
      ),
    ).toContain(expected);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a list used as one', { rule: { pattern: 'old($$$A)' }, fix: 'new($A)' }, '/line/rules/0/fix unbound_variable'],
    [
      'a variable that is not kept',
      { rule: { pattern: 'old($_A)' }, fix: 'new($_A)' },
      '/line/rules/0/fix unbound_variable',
    ],
    ['rewriters', { rewriters: [] }, '/line/rules/0/rewriters not_served'],
    ['a severity', { severity: 'error' }, '/line/rules/0/severity not_served'],
    ['paths of its own', { files: ['src/**'] }, '/line/rules/0/files not_served'],
    [
      'a transformation that is not served',
      { transform: { B: { rewrite: { source: '$A', rewriters: ['x'] } } } },
      '/line/rules/0/transform/B not_served',
    ],
    [
      'half a string',
      {
        constraints: { A: { kind: 'string' } },
        transform: { B: { substring: { source: '$A', startChar: 1 } } },
        fix: 'new($B)',
      },
      '/line/rules/0/transform/B half_a_string',
    ],
    ['a constraint that is no rule', { constraints: { A: { knd: 'x' } } }, '/line/rules/0/constraints/A not_a_rule'],
  ])('an ast-grep rule with %s is refused by name', (_name, more, expected) => {
    const rule = { id: 'r', language: 'typescript', rule: { pattern: 'old($A)' }, fix: 'new($A)', ...more };
    expect(spoilt((packet) => (packet.line = { name: 'api-migration', rules: [rule] }))).toContain(expected);
  });

  it.each<[string, Record<string, unknown>]>([
    ['an operator', { rule: { pattern: '$A $$OP $B' }, fix: '$B $$OP $A' }],
    [
      'constraints, utilities and transformations',
      {
        rule: { pattern: 'old($A)', has: { matches: 'u' } },
        constraints: { A: { kind: 'string' } },
        utils: { u: { kind: 'string' } },
        transform: { B: { substring: { source: '$A', startChar: 1, endChar: -1 } } },
        fix: 'new($B)',
      },
    ],
    ['a dollar that is none of a variable', { fix: '$el.new($A, $1)' }],
    ["ast-grep's name of the language", { language: 'TypeScript' }],
  ])('an ast-grep rule with %s is taken', (_name, more) => {
    const rule = { id: 'r', language: 'ts', rule: { pattern: 'old($A)' }, fix: 'new($A)', ...more };
    expect(() => json({ ...goodPacket(), line: { name: 'api-migration', rules: [rule] } })).not.toThrow();
  });

  it.each([[[]], [null], [1], ['text']])('refuses %j, which is no packet', (value) => {
    expect(faultsOf(value)).toEqual([' wrong_type']);
  });

  it('lists the known lines to whoever names an unknown one', () => {
    const [detail] = refusalOf(() => json({ ...goodPacket(), line: { name: 'x' } })).details;
    expect(detail?.message).toContain('patch, api-migration, dependency-update');
  });

  it('keeps a refusal small however many faults there are', () => {
    const refusal = refusalOf(() =>
      json({
        ...goodPacket(),
        ...Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`x${index}`, 1])),
        nonGoals: Array(100).fill(1),
      }),
    );
    expect(refusal.details.length).toBeLessThanOrEqual(50);
  });
});

describe('YAML that is not plain', () => {
  it.each([
    ['anchor', 'a: &x 1', 'not_plain'],
    ['alias', 'a: *x', 'not_plain'],
    ['tag', 'a: !!str 1', 'not_plain'],
    ['merge key', '<<: {a: 1}', 'not_plain'],
    ['directive', '%YAML 1.1\n---\na: 1', 'not_plain'],
    ['key that is no text', '? [a]\n: b', 'syntax'],
    ['two documents', 'a: 1\n---\nb: 1', 'several_documents'],
    ['key used twice', 'a: 1\na: 2', 'duplicate_key'],
    ['key used twice by an escape', '"a": 1\n"\\u0061": 2', 'duplicate_key'],
    ['nothing', '# nothing', 'empty'],
    ['broken syntax', 'a: [1', 'syntax'],
    ['infinity', 'priority: .inf', 'not_a_number'],
    ['half a character', 'a: "\\ud800"', 'malformed_text'],
    ['prototype', '__proto__: {a: 1}', 'unknown_field'],
    ['brackets that close nothing', '}'.repeat(200_000), 'syntax'],
    ['a flood of keys', Array.from({ length: 30_000 }, (_, index) => `k${index}:`).join('\n'), 'too_many_tokens'],
  ])('%s', (_name, text, code) => {
    expect(
      refusalOf(() => parsePacket(Buffer.from(text), 'application/yaml')).details.map((detail) => detail.code),
    ).toEqual([code]);
  });

  it('reads yes, no, dates and octal-looking text by the 1.2 core schema', () => {
    const { packet } = parsePacket(
      Buffer.from(JSON.stringify(goodPacket()).replace('"The sum is wrong."', 'yes').replace('"shop"', 'no')),
      'application/yaml',
    );
    expect([packet.intent, packet.scope.repository]).toEqual(['yes', 'no']);
  });

  it('leaves signs inside a block of text alone', () => {
    const text = JSON.stringify({ ...goodPacket(), intent: '@' }).replace('"@"', '"*a &b !c %d <<"');
    expect(parsePacket(Buffer.from(text), 'application/yaml').packet.intent).toBe('*a &b !c %d <<');
  });
});

describe('whatever the bytes', () => {
  const types = fc.constantFrom('application/json', 'application/yaml', 'text/plain');
  const onlyRefuses = (bytes: Uint8Array, type: string): void => {
    try {
      parsePacket(bytes, type);
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
    }
  };

  it('nothing but a refusal is thrown for random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), types, onlyRefuses), { numRuns: 1_500 });
  });

  it('nothing but a refusal is thrown for text made of signs that mean something', () => {
    const signs = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"',
        "'",
        '- ',
        '? ',
        '|',
        '>',
        '\n',
        '  ',
        '&a',
        '*a',
        '!',
        '%',
        '#',
        '---',
        '...',
        '<<',
        '\\u',
        'a',
        '1',
        '\t',
        '\u{feff}',
        '\0',
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(signs, types, (parts, type) => onlyRefuses(Buffer.from(parts.join('')), type)),
      { numRuns: 2_500 },
    );
  });

  it('nothing but a refusal is thrown for a good packet with one value replaced', () => {
    const paths = [
      'goal',
      'source',
      'scope',
      'acceptance',
      'line',
      'tools',
      'validation',
      'reproduction',
      'risk',
      'output',
      'context',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 4 }), (field, value) =>
        onlyRefuses(Buffer.from(JSON.stringify({ ...goodPacket(), [field]: value })), 'application/json'),
      ),
      { numRuns: 800 },
    );
  });
});
