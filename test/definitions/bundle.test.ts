import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bundleFromText,
  bundleOf,
  bundleText,
  type DefinitionsBundle,
  loadBundle,
} from '../../shared/definitions/bundle.ts';
import { diffBundles } from '../../shared/definitions/diff.ts';
import { driftOf } from '../../shared/definitions/drift.ts';
import { readDefinitions, validateBundle } from '../../shared/definitions/read.ts';
import { digestOfValue } from '../../shared/domain/digest.ts';
import { refusalOf } from '../intake/packets.ts';

const shipped = await loadBundle(fileURLToPath(new URL('../../definitions', import.meta.url)));
const changed = (changes: Readonly<Record<string, ((text: string) => string) | null>>): DefinitionsBundle => {
  const files = new Map(shipped.files);
  for (const [path, change] of Object.entries(changes)) {
    if (change === null) files.delete(path);
    else files.set(path, change(files.get(path) ?? ''));
  }
  return bundleOf(files);
};
const faults = (changes: Parameters<typeof changed>[0]): string[] =>
  validateBundle(changed(changes)).map((fault) => `${fault.file}${fault.pointer} ${fault.code}`);

describe('the shipped bundle', () => {
  it('is valid, and its lines are pinned by digest', () => {
    expect(validateBundle(shipped)).toEqual([]);
    const { lines, policy } = readDefinitions(shipped);
    expect([...lines.keys()].toSorted()).toEqual([
      'api-migration',
      'azure-deployment',
      'bench',
      'dependency-update',
      'patch',
    ]);
    expect(lines.get('patch')?.digest).toBe(digestOfValue(lines.get('patch')?.line));
    expect(policy.digest).toMatch(/^sha256:/);
  });

  it('leaves its README out', () => {
    expect([...shipped.files.keys()].filter((path) => !/\.(yaml|cedar)$/.test(path))).toEqual([]);
  });
});

describe('a bundle on disk', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bundle-'));
    for (const [path, text] of shipped.files) {
      await mkdir(join(directory, path, '..'), { recursive: true });
      await writeFile(join(directory, path), text);
    }
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('has the same digest wherever it lies, and another with one byte changed', async () => {
    expect((await loadBundle(directory)).digest).toBe(shipped.digest);
    await writeFile(join(directory, 'lines/bench.yaml'), `${shipped.files.get('lines/bench.yaml')} `);
    expect((await loadBundle(directory)).digest).not.toBe(shipped.digest);
  });

  it('is refused with a link in it, which could read what is not its own', async () => {
    await symlink('/etc/hostname', join(directory, 'lines/more.yaml'));
    await expect(loadBundle(directory)).rejects.toMatchObject({ code: 'FACTORY-DEFINITIONS-INVALID', status: 422 });
  });

  it('is refused with bytes that are not UTF-8, and too deep a folder', async () => {
    await writeFile(join(directory, 'lines/more.yaml'), Uint8Array.of(0xff));
    await expect(loadBundle(directory)).rejects.toThrow('not UTF-8');
    await rm(join(directory, 'lines/more.yaml'));
    await mkdir(join(directory, 'a/b/c/d'), { recursive: true });
    await expect(loadBundle(directory)).rejects.toThrow('a/b/c/d');
  });
});

describe('a bundle as bytes', () => {
  it('comes back from its canonical form', () => {
    expect(bundleFromText(Buffer.from(bundleText(shipped.files)))).toEqual(shipped);
  });

  it.each([
    ['other white space', () => ` ${bundleText(shipped.files)}`],
    ['a path that climbs', () => '{"../x.yaml":""}'],
    ['a path from the root', () => '{"/x.yaml":""}'],
    ['no texts', () => '{"a.yaml":1}'],
    ['no object', () => '[]'],
    ['too much', () => JSON.stringify({ 'a.yaml': 'x'.repeat(1024 * 1024 + 1) })],
    [
      'too many',
      () => JSON.stringify(Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`a${index}.yaml`, '']))),
    ],
  ])('is refused with %s', (_name, text) => {
    expect(refusalOf(() => bundleFromText(Buffer.from(text()))).code).toBe('FACTORY-DEFINITIONS-INVALID');
  });
});

describe('validation', () => {
  it('tells the file, the place and the code of each fault at once', () => {
    expect(
      faults({
        'lines/patch.yaml': (text) => text.replace('task: plan\n', 'task: dream\n'),
        'lines/bench.yaml': (text) => text.replace('title:', 'titel:'),
        'policies/effects.cedar': (text) => text.replace('resource.kind', 'resource.kynd'),
      }).toSorted(),
    ).toEqual([
      'lines/bench.yaml/titel unknown_field',
      'lines/bench.yaml/title missing',
      'lines/patch.yaml/nodes/4/task unknown_task',
      'policies/effects.cedar schema',
    ]);
  });

  it.each<[string, Parameters<typeof changed>[0], string]>([
    ['no manifest', { 'manifest.yaml': null }, 'manifest.yaml missing_file'],
    ['a manifest that is no YAML', { 'manifest.yaml': () => '[' }, 'manifest.yaml syntax'],
    [
      'anchors',
      { 'lines/patch.yaml': (text) => text.replace('schemaVersion: 1', 'schemaVersion: &v 1') },
      'lines/patch.yaml not_plain',
    ],
    ['a file that is named and missing', { 'lines/bench.yaml': null }, 'manifest.yaml missing_file'],
    ['a file that nobody names', { 'policies/forgotten.cedar': () => '' }, 'policies/forgotten.cedar unnamed_file'],
    [
      'a file named twice',
      { 'manifest.yaml': (text) => text.replace('  - lines/bench.yaml', '  - lines/bench.yaml\n  - lines/bench.yaml') },
      'manifest.yaml duplicate_file',
    ],
    [
      'a line defined twice',
      { 'lines/bench.yaml': () => shipped.files.get('lines/patch.yaml')! },
      'lines/bench.yaml/line duplicate_line',
    ],
    [
      'an older or newer form of line',
      { 'lines/bench.yaml': (text) => text.replace('schemaVersion: 1', 'schemaVersion: 2') },
      'lines/bench.yaml/schemaVersion unknown_value',
    ],
    [
      'policies under which it could never be replaced',
      { 'policies/definitions.cedar': (text) => text.replaceAll('"approveInstallation"', '"readInstallation"') },
      'manifest.yaml/policies lockout',
    ],
  ])('refuses %s', (_name, changes, expected) => {
    expect(faults(changes)).toContain(expected);
    const refusal = refusalOf(() => readDefinitions(changed(changes)));
    expect([refusal.status, refusal.code]).toEqual([422, 'FACTORY-DEFINITIONS-INVALID']);
  });
});

describe('an install plan', () => {
  const next = changed({
    'manifest.yaml': (text) => text.replace('0.1.0', '0.2.0').replace('  - lines/bench.yaml\n', ''),
    'lines/bench.yaml': null,
    'lines/patch.yaml': (text) => text.replace('title: Apply a given patch', 'title: Apply a patch'),
    'policies/effects.cedar': (text) => text.replace(', "pull_request"', ''),
  });

  it('of a first installation adds everything', () => {
    const plan = diffBundles(null, shipped);
    expect([plan.from, plan.to, plan.version]).toEqual([null, shipped.digest, { from: null, to: '0.1.0' }]);
    expect(new Set([...plan.lines, ...plan.files].map((item) => item.change))).toEqual(new Set(['added']));
    expect(plan.files.length).toBe(shipped.files.size);
  });

  it('says what is added, changed and removed, with diffs and digests', () => {
    const plan = diffBundles(shipped, next);
    expect(plan.lines.map((item) => `${item.line} ${item.change}`)).toEqual(['bench removed', 'patch changed']);
    expect(plan.files.map((item) => `${item.file} ${item.change}`)).toEqual([
      'lines/bench.yaml removed',
      'lines/patch.yaml changed',
      'manifest.yaml changed',
      'policies/effects.cedar changed',
    ]);
    expect(plan.files.at(-1)?.diff).toContain('-when { ["git_push", "pull_request", "deliver_patch"');
    expect(plan.policy.from).not.toBe(plan.policy.to);
    expect(plan.version).toEqual({ from: '0.1.0', to: '0.2.0' });
  });

  it('is the same to the byte for the same two bundles, and its digest covers it', () => {
    const plan = diffBundles(shipped, next);
    expect(diffBundles(bundleOf([...shipped.files].toReversed()), next)).toEqual(plan);
    const { digest, ...content } = plan;
    expect(digestOfValue(content)).toBe(digest);
    expect(diffBundles(next, shipped).digest).not.toBe(digest);
  });

  it('is empty between equal bundles, and a comment changes a file and no line', () => {
    expect(diffBundles(shipped, shipped)).toMatchObject({ lines: [], files: [] });
    const commented = diffBundles(shipped, changed({ 'lines/bench.yaml': (text) => `# More.\n${text}` }));
    expect([commented.lines.length, commented.files.length]).toEqual([0, 1]);
  });

  it('is refused to an invalid bundle, and possible away from one', () => {
    const broken = changed({ 'lines/patch.yaml': () => 'x' });
    expect(refusalOf(() => diffBundles(shipped, broken)).code).toBe('FACTORY-DEFINITIONS-INVALID');
    expect(diffBundles(broken, shipped).files.map((item) => item.file)).toEqual(['lines/patch.yaml']);
  });

  it('gives digests alone where two texts have too little in common', () => {
    const noise = (seed: number) => Array.from({ length: 6_000 }, (_, index) => `# ${index * seed}`).join('\n');
    const plan = diffBundles(
      changed({ 'lines/bench.yaml': (text) => `${noise(7)}\n${text}` }),
      changed({ 'lines/bench.yaml': (text) => `${noise(11)}\n${text}` }),
    );
    expect(plan.files.map((item) => item.diff)).toEqual([null]);
  });
});

it('drift is any difference between what is in force and what was recorded', () => {
  const other = digestOfValue('other');
  expect(driftOf(shipped.digest, shipped.digest)).toEqual({ drifted: false });
  expect(driftOf(other, shipped.digest)).toMatchObject({ drifted: true, because: expect.stringContaining(other) });
  expect(driftOf(null, shipped.digest)).toMatchObject({ drifted: true });
});
