import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../shared/domain/job/outcome.ts';
import { assessRisk, type ChangeHistory } from '../../shared/domain/risk/assess.ts';
import { RISK_TIERS, type RiskTier } from '../../shared/domain/risk/tier.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { declaration, goodPacket } from '../intake/packets.ts';

const packet = (risk?: unknown) =>
  parsePacket(Buffer.from(JSON.stringify({ ...goodPacket(), risk })), 'application/json').packet;
const facts = (paths: string[], more: Partial<Facts> = {}): Facts => ({
  paths,
  manifests: [],
  testPaths: [],
  linesAdded: 3,
  linesRemoved: 2,
  ...more,
});
const tier = (measured: Facts, risk?: unknown, history?: ChangeHistory) =>
  assessRisk({ packet: packet(risk), declaration, facts: measured, ...(history ? { history } : {}) }).tier;

describe('risk by what changes', () => {
  it.each<[RiskTier, string[]]>([
    ['low', ['docs/guide.md']],
    ['low', ['README.md', 'test/add.test.js']],
    ['low', ['src/add.test.js']],
    ['medium', ['src/add.js']],
    ['medium', ['docs/example.md', 'src/add.js']],
    ['medium', ['package.json']],
    ['medium', ['package-lock.json']],
    ['high', ['.github/workflows/ci.yml']],
    ['high', ['.GitHub/Workflows/ci.yml']],
    ['high', ['.github/workflows/README.md']],
    ['high', ['infra/main.bicep']],
    ['high', ['src/auth/login.js']],
    ['high', ['CODEOWNERS']],
    ['high', ['.npmrc']],
    ['high', ['.yarnrc.yml']],
    ['high', ['.pnpmfile.cjs']],
    ['high', ['packages/a/bunfig.toml']],
    ['high', ['.yarn/releases/yarn-4.9.4.cjs']],
    ['high', ['NuGet.Config']],
    ['medium', ['pnpm-workspace.yaml']],
    ['medium', ['bun.lock']],
    ['medium', ['uv.lock']],
    ['high', ['db/migrations/001.sql']],
    ['high', ['src/billing/total.js']],
    ['high', ['src/billing/README.md']],
    ['critical', ['data/customers.json']],
  ])('%s: %j', (expected, paths) => {
    expect(tier(facts(paths))).toBe(expected);
  });

  it('a deployment is high, whatever file it brings', () => {
    const deployed = { ...packet(), output: { format: 'deployment' as const } };
    const { tier: found, reasons } = assessRisk({ packet: deployed, declaration, facts: facts(['docs/plan.json']) });
    expect([found, reasons.map((reason) => reason.signal)]).toEqual(['high', expect.arrayContaining(['deployment'])]);
  });

  it('tells each reason once, with examples', () => {
    const { reasons } = assessRisk({
      packet: packet(),
      declaration,
      facts: facts(['src/a.js', 'src/b.js', 'src/c.js', 'src/d.js', 'package.json']),
    });
    expect(reasons.map((reason) => reason.signal)).toEqual(['path_source', 'path_manifest']);
    expect(reasons[0]?.because).toContain('src/a.js, src/b.js, src/c.js and more');
  });

  it('migrations are critical where the application checks them', () => {
    const checked = {
      ...declaration,
      checks: [
        {
          name: 'migrate',
          kind: 'migration' as const,
          command: ['m'] as [string],
          report: 'none' as const,
          timeoutSeconds: 60,
        },
      ],
    };
    expect(assessRisk({ packet: packet(), declaration: checked, facts: facts(['migrations/1.sql']) }).tier).toBe(
      'critical',
    );
  });
});

describe('risk by figures', () => {
  it.each<[RiskTier, Partial<Facts>]>([
    ['low', { linesAdded: 60, linesRemoved: 40 }],
    ['medium', { linesAdded: 60, linesRemoved: 41 }],
    ['high', { linesAdded: 801 }],
    ['medium', { pathCount: 1, binaryFiles: 1 }],
    ['high', { pathCount: 51 }],
    ['high', { pathCount: 2 }],
    ['medium', { importers: 6 }],
    ['high', { importers: 26 }],
    ['medium', { coverage: 'unknown' }],
    ['low', { coverage: 'known' }],
    ['medium', { versionChange: 'minor' }],
    ['high', { versionChange: 'major' }],
    ['high', { versionChange: 'unknown' }],
    ['medium', { manifests: ['package.json'] }],
    ['medium', { sandbox: 'process' }],
    ['low', { sandbox: 'bubblewrap' }],
  ])('%s: %j', (expected, more) => {
    expect(tier(facts(['docs/a.md'], more))).toBe(expected);
  });

  it('what is not known is not low', () => {
    expect(tier({ paths: [], manifests: [], testPaths: [] })).toBe('medium');
    expect(tier({ paths: ['docs/a.md'], manifests: [], testPaths: [] })).toBe('medium');
    expect(tier({ paths: [], manifests: [], testPaths: [], pathCount: 0 })).toBe('low');
  });

  it('history counts once there is enough of it', () => {
    expect(tier(facts(['docs/a.md']), undefined, { changes: 4, defects: 4 })).toBe('low');
    expect(tier(facts(['docs/a.md']), undefined, { changes: 10, defects: 2 })).toBe('medium');
    expect(tier(facts(['docs/a.md']), undefined, { changes: 10, defects: 3 })).toBe('high');
  });
});

describe('risk by what the packet states', () => {
  it('raises and never lowers', () => {
    expect(tier(facts(['docs/a.md']), { atLeast: 'high' })).toBe('high');
    expect(tier(facts(['src/auth/x.js']), { atLeast: 'low' })).toBe('high');
  });

  it('a security exception is critical', () => {
    expect(tier(facts(['docs/a.md']), { securityExceptions: ['weaker cipher for one partner'] })).toBe('critical');
  });
});

describe('always', () => {
  const path = fc.constantFrom(
    'docs/a.md',
    'test/a.js',
    'src/a.js',
    'src/b.js',
    'package.json',
    '.github/workflows/x.yml',
    'infra/m.tf',
    'src/auth/a.js',
    'src/billing/a.js',
    'data/a',
    'migrations/1.sql',
    'odd name',
    '.env',
  );
  const rank = (value: RiskTier): number => RISK_TIERS.indexOf(value);
  const some = fc.record({
    paths: fc.uniqueArray(path, { minLength: 1 }),
    linesAdded: fc.nat(1_000),
    linesRemoved: fc.nat(1_000),
    importers: fc.nat(40),
  });

  it('adding a path never lowers the tier', () => {
    fc.assert(
      fc.property(some, path, (known, more) => {
        const before = tier(facts(known.paths, known));
        expect(
          rank(tier(facts([...known.paths, more], { ...known, paths: [...known.paths, more] }))),
        ).toBeGreaterThanOrEqual(rank(before));
      }),
    );
  });

  it('the packet never lowers the tier', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...RISK_TIERS), (known, atLeast) => {
        const stated = tier(facts(known.paths, known), { atLeast });
        expect(rank(stated)).toBe(Math.max(rank(atLeast), rank(tier(facts(known.paths, known)))));
      }),
    );
  });

  it('the tier is that of a reason, or low without any', () => {
    fc.assert(
      fc.property(some, (known) => {
        const risk = assessRisk({ packet: packet(), declaration, facts: facts(known.paths, known) });
        expect(risk.tier === 'low' || risk.reasons.some((reason) => reason.tier === risk.tier)).toBe(true);
      }),
    );
  });
});
