import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { openToolchains } from '../../shared/sandbox/toolchains/open-toolchains.ts';
import { LOCK_FILES } from '../../shared/stations/python/lock-files.ts';
import { readProjectDependencies } from '../../shared/stations/python/project-dependencies.ts';
import { readRequirementsFiles } from '../../shared/stations/python/requirements-file.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { makeChange } from './change.ts';
import { type Done, type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, fetchPackages, type Line, validate } from './line.ts';
import { declarationOf, packetOf } from './packets.ts';
import { type PublishedWheel, startPythonIndex, type TestIndex } from './python-index.ts';
import { commitFiles } from './repository.ts';
import { driver, noSandbox } from './sandbox.ts';

const opened = noSandbox ? undefined : await openToolchains(driver, [{ name: 'python' }]);
const noPython = opened === undefined || 'missing' in opened || opened.versions['pip'] === undefined;
if (noPython) process.stderr.write('SKIPPED: tests of Python packages need bubblewrap, and Python with pip.\n');

const greet: PublishedWheel = {
  name: 'greet-lib',
  version: '1.2.0',
  files: { 'greet_lib.py': 'import words_lib\ndef greet():\n    return words_lib.HELLO\n' },
  requires: ['words-lib>=1'],
};
const words: PublishedWheel = { name: 'words-lib', version: '1.0', files: { 'words_lib.py': "HELLO = 'hello'\n" } };
const sources: PublishedWheel = { name: 'built-lib', version: '3.0', sourcesOnly: true };

let jobs: Jobs;
let index: TestIndex;
beforeAll(() => {
  jobs = openJobs();
});
afterAll(() => jobs.remove());
afterEach(() => index?.close());

const tests =
  "import unittest\nimport greet_lib\nfrom app import NAME\n\nclass Greets(unittest.TestCase):\n    def test_greets(self):\n        self.assertEqual(greet_lib.greet() + NAME, 'hello you')\n";
let count = 0;

async function lineWith(
  files: Record<string, string>,
  python: object,
  more: { readonly index?: string | undefined; readonly change?: Record<string, string> } = {},
): Promise<{ line: Line; change: Awaited<ReturnType<typeof makeChange>> }> {
  count += 1;
  const repository = join(jobs.directory, `python-${count}.git`);
  const base: CommitId = await commitFiles(repository, { 'app.py': "NAME = ' you'\n", 'test_app.py': tests, ...files });
  const source = await bundleSource(jobs, repository, base);
  const change = await makeChange(jobs, repository, base, more.change ?? { 'app.py': "NAME = ' ' + 'you'\n" });
  const declaration = declarationOf({
    checks: [{ name: 'unit', kind: 'unit', command: ['python3', '-m', 'unittest', '-v'] }],
    environment: { toolchain: ['python'], setup: { python } },
  });
  const packet = packetOf({ name: 'patch', patch: change.patch });
  const url = 'index' in more ? more.index : index.url;
  return { line: { jobs, driver, source, declaration, packet, ...(url === undefined ? {} : { index: url }) }, change };
}

const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;

describe.skipIf(noPython)('Python packages', () => {
  test('pinned by digests: fetched once, installed offline, the same for base and change', async () => {
    index = await startPythonIndex([greet, words, sources]);
    const pinned = `greet-lib==1.2.0 \\\n    --hash=sha256:${'0'.repeat(64)} \\\n    --hash=sha256:${index.sha256('greet-lib', '1.2.0')}\nwords_lib==1.0 --hash=sha256:${index.sha256('words-lib', '1.0')}  # via greet-lib\n`;
    const { line, change } = await lineWith({ 'requirements.txt': pinned }, { requirements: ['requirements.txt'] });
    const packages = await fetchPackages(line);
    expect(packages.outcome).toMatchObject({
      verdict: 'ok',
      unknowns: [],
      summary: expect.stringContaining('2 wheels'),
    });
    expect(packages.outcome?.facts.concerns).toBeUndefined();
    await index.close();
    const before = await baseline(line, packages);
    expect(claims(before)).toMatchObject({
      checks: [{ name: 'unit', passed: true }],
      environment: { wheels: 2, python: expect.stringMatching(/^3\./) },
    });
    expect(claims(before).environment).not.toHaveProperty('resolvedAt');
    const after = await validate(line, before, change, packages);
    expect(after.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(after).environment).toEqual(claims(before).environment);
  });

  test('without digests they are resolved once, and that is a concern and in the receipt', async () => {
    index = await startPythonIndex([greet, words], true);
    const pyproject =
      '[project]\nname = "app"\ndependencies = []\n[project.optional-dependencies]\ntest = ["greet-lib~=1.0"]\n';
    const { line } = await lineWith({ 'pyproject.toml': pyproject }, { project: { extras: ['test'] } });
    const packages = await fetchPackages(line);
    expect(packages.outcome?.facts.concerns).toMatchObject([{ kind: 'unlocked_packages' }]);
    const before = await baseline(line, packages);
    expect(claims(before)).toMatchObject({
      checks: [{ passed: true }],
      environment: { wheels: 2, resolvedAt: expect.any(String) },
    });
    expect(claims(before).notVerified.join('\n')).toMatch(/No lockfile pins the packages/);
    // Of files the wheels alone were asked for.
    expect(index.requests.toSorted()).toEqual([
      '/files/greet_lib-1.2.0-py3-none-any.whl',
      '/files/words_lib-1.0-py3-none-any.whl',
      '/simple/greet-lib/',
      '/simple/words-lib/',
    ]);
  });

  test('what has no wheel, no index or no place in one is told, and stops nothing', async () => {
    index = await startPythonIndex([sources]);
    const missingOf = async (requirements: string, more: { index?: string | undefined } = {}) => {
      const { line } = await lineWith(
        { 'requirements.txt': requirements },
        { requirements: ['requirements.txt'] },
        more,
      );
      const packages = await fetchPackages(line);
      expect(packages.outcome).toMatchObject({ verdict: 'ok', facts: { concerns: [{ kind: 'packages_missing' }] } });
      return packages.outcome?.unknowns.join('\n');
    };
    expect(await missingOf('built-lib==3.0\n')).toMatch(/built-lib has no wheel .* only sources, which would run code/);
    expect(await missingOf('absent-lib\n')).toMatch(/has no absent-lib/);
    expect(await missingOf('greet-lib\n', { index: undefined })).toMatch(/FACTORY_PYTHON_INDEX/);
    expect(await missingOf('git+https://user:secret@code.example/x.git\n')).toMatch(
      /git\+https:\/\/code\.example\/x\.git comes from no index[\s\S]*|name no package/,
    );
  });

  test('bytes that are not those that are pinned are a question, never installed', async () => {
    index = await startPythonIndex([words]);
    const wrong = `words-lib==1.0 --hash=sha256:${createHash('sha256').update('x').digest('hex')}\n`;
    const first = await lineWith({ 'requirements.txt': wrong }, { requirements: ['requirements.txt'] });
    expect((await fetchPackages(first.line)).failure).toMatchObject({ kind: 'needs_human', code: 'PACKAGE-INTEGRITY' });
    index.instead.set('words_lib-1.0-py3-none-any.whl', Buffer.from('other bytes'));
    const second = await lineWith({ 'requirements.txt': 'words-lib\n' }, { requirements: ['requirements.txt'] });
    expect((await fetchPackages(second.line)).failure).toMatchObject({
      code: 'PACKAGE-INTEGRITY',
      question: expect.stringContaining('not those the index promises'),
    });
  });

  test('an index that sends elsewhere is not followed', async () => {
    const other = await startPythonIndex([words]);
    index = await startPythonIndex([words]);
    index.redirects.set('/simple/words-lib/', `${other.url}words-lib/`);
    const { line } = await lineWith({ 'requirements.txt': 'words-lib\n' }, { requirements: ['requirements.txt'] });
    const packages = await fetchPackages(line);
    expect(packages.outcome?.unknowns.join()).toMatch(/redirects .* to another origin/);
    expect(other.requests).toEqual([]);
    await other.close();
  });

  test('a request whose line hands no packages on is told so', async () => {
    index = await startPythonIndex([]);
    const { line } = await lineWith({ 'test_app.py': 'import unittest\n' }, { requirements: ['requirements.txt'] });
    const before = await baseline(line);
    expect(before.outcome?.facts.concerns).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'packages_missing' })]),
    );
  });
});

describe('files that name packages are read as data', () => {
  const read = (files: Record<string, string>, ...paths: string[]) =>
    readRequirementsFiles(async (path) => files[path], paths);

  test('requirements files with includes, constraints, digests and markers', async () => {
    const hash = 'a'.repeat(64);
    const found = await read(
      {
        'requirements/test.txt': `-r base.txt\n-c ../constraints.txt\nPy_Test [x,y] >= 7, <9 ; python_version >= "3.8"  # why\n\nplain\n`,
        'requirements/base.txt': `\uFEFFattrs==23.1.0 \\\r\n  --hash=sha256:${hash}\r\n-r test.txt\r\n`,
        'constraints.txt': 'urllib3<2\n',
      },
      'requirements/test.txt',
    );
    expect(found).toEqual({
      wanted: [
        { name: 'py-test', text: 'Py_Test [x,y] >= 7, <9 ; python_version >= "3.8"', sha256: [] },
        { name: 'plain', text: 'plain', sha256: [] },
        { name: 'attrs', text: 'attrs==23.1.0', sha256: [hash] },
      ],
      constraints: ['urllib3<2'],
      left: [],
    });
  });

  test('nothing chooses another source, runs a build or leaves the repository', async () => {
    const lines = [
      '--index-url https://evil.example/simple',
      '--extra-index-url=https://u:p@evil.example/',
      '-f ./wheels',
      '--no-binary :all:',
      '-e .',
      './local',
      'x @ https://evil.example/x.whl',
      'git+ssh://git@evil.example/x',
      '-r ../../etc/passwd',
      '-r /etc/passwd',
      'a --global-option="--x"',
      '$(touch /tmp/x)',
      'a; import os',
    ];
    const { wanted, left } = await read(
      { 'requirements.txt': `${lines.join('\n')}\n` },
      'requirements.txt',
      'gone.txt',
    );
    expect(wanted.map(({ text }) => text)).toEqual(['a', 'a; import os']);
    expect(left).toHaveLength(lines.length - 1);
    expect(left.join()).not.toContain('u:p@');
  });

  test('uv.lock, poetry.lock and Pipfile.lock by their digests', () => {
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    const uv = `version = 1
[[package]]
name = "app"
source = { virtual = "." }
dependencies = [{ name = "attrs" }, { name = "colorama", marker = "sys_platform == 'win32'" }]
[[package]]
name = "attrs"
version = "23.1.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://x/attrs.whl", hash = "sha256:${a}" }, { url = "https://x/attrs2.whl", hash = "sha256:${b}" }]
[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://x/c.whl", hash = "sha256:${b}" }]
[[package]]
name = "mine"
version = "1"
source = { git = "https://x/y" }
`;
    expect(LOCK_FILES['uv.lock']?.(uv)).toEqual({
      wanted: [
        { name: 'attrs', text: 'attrs==23.1.0', sha256: [a, b] },
        { name: 'colorama', text: "colorama==0.4.6 ; (sys_platform == 'win32')", sha256: [b] },
      ],
      constraints: [],
      left: ['uv.lock: mine comes from no index, and is not fetched'],
    });
    const poetry = `[[package]]\nname = "attrs"\nversion = "23.1.0"\noptional = false\nfiles = [{file = "attrs.whl", hash = "sha256:${a}"}]\n[[package]]\nname = "extra"\nversion = "1"\noptional = true\nfiles = []\n`;
    expect(LOCK_FILES['poetry.lock']?.(poetry)?.wanted).toEqual([
      { name: 'attrs', text: 'attrs==23.1.0', sha256: [a] },
    ]);
    const pipfile = JSON.stringify({
      default: { attrs: { version: '==23.1.0', hashes: [`sha256:${a}`], markers: "python_version >= '3.7'" } },
      develop: { mine: { git: 'https://x' } },
    });
    expect(LOCK_FILES['Pipfile.lock']?.(pipfile)).toMatchObject({
      wanted: [{ text: "attrs==23.1.0 ; python_version >= '3.7'", sha256: [a] }],
      left: [expect.stringContaining('mine')],
    });
    for (const readLock of Object.values(LOCK_FILES)) expect(readLock('{ not a lock')).toBeUndefined();
  });

  test('pyproject.toml with extras that name extras, and groups that include groups', () => {
    const text =
      '[project]\nname = "My.App"\ndependencies = ["attrs>=22", "x @ https://y/z.whl"]\n[project.optional-dependencies]\nall = ["my-app[test]", "rich"]\ntest = ["pytest"]\n[dependency-groups]\ndev = ["ruff", {include-group = "lint"}]\nlint = ["mypy"]\nloop = [{include-group = "loop"}]\n';
    expect(readProjectDependencies(text, { extras: ['ALL'], groups: ['dev'] })).toMatchObject({
      wanted: ['attrs>=22', 'pytest', 'rich', 'ruff', 'mypy'].map((each) => ({ text: each })),
      left: [expect.stringContaining('x @ https://y/z.whl')],
    });
    expect(readProjectDependencies(text, { extras: ['no'], groups: ['loop'] })?.left).toEqual([
      'pyproject.toml has no extra no',
      expect.stringContaining('has no dependency group loop'),
      expect.any(String),
    ]);
  });
});
