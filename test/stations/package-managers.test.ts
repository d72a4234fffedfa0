import { describe, expect, test } from 'vitest';
import { baseline, fetchPackages } from './line.ts';
import { claims, useNpmLine } from './npm-line.ts';
import type { Files } from './repository.ts';
import { noSandbox } from './sandbox.ts';

const npm = useNpmLine();

const member = JSON.stringify({ name: 'a', version: '1.0.0', dependencies: { left: '^1.0.0' } });
const root = (more: object = {}) =>
  JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies: { twin: 'npm:left@^1.0.0' }, ...more });

const pnpmLock = (version: '9.0' | '6.0'): string => {
  const integrity = npm.registry.integrity('left', '1.0.0');
  const twin = version === '9.0' ? 'left@1.0.0' : '/left@1.0.0';
  const entry = version === '9.0' ? `  left@1.0.0:` : `  /left@1.0.0:`;
  return [
    `lockfileVersion: '${version}'`,
    '',
    'settings:',
    '  autoInstallPeers: true',
    '  excludeLinksFromLockfile: false',
    '',
    'importers:',
    '',
    '  .:',
    '    dependencies:',
    '      twin:',
    '        specifier: npm:left@^1.0.0',
    `        version: ${twin}`,
    '',
    '  packages/a:',
    '    dependencies:',
    '      left:',
    '        specifier: ^1.0.0',
    '        version: 1.0.0',
    '',
    'packages:',
    '',
    entry,
    `    resolution: {integrity: ${integrity}}`,
    ...(version === '9.0' ? ['', 'snapshots:', '', '  left@1.0.0: {}'] : ['    dev: false']),
    '',
  ].join('\n');
};

const classicLock = (): string => {
  const entry = `  version "1.0.0"\n  resolved "https://registry.example.com/left/-/left-1.0.0.tgz"\n  integrity ${npm.registry.integrity('left', '1.0.0')}\n`;
  return `# yarn lockfile v1\n\n\nleft@^1.0.0:\n${entry}\n"twin@npm:left@^1.0.0":\n${entry}`;
};

const berryLock = (version: number): string =>
  [
    '__metadata:',
    `  version: ${version}`,
    version === 6 ? '  cacheKey: 8' : '  cacheKey: 10c0',
    '',
    '"a@workspace:packages/a":',
    '  version: 0.0.0-use.local',
    '  resolution: "a@workspace:packages/a"',
    '  dependencies:',
    version === 6 ? '    left: ^1.0.0' : '    left: "npm:^1.0.0"',
    '  languageName: unknown',
    '  linkType: soft',
    '',
    '"app@workspace:.":',
    '  version: 0.0.0-use.local',
    '  resolution: "app@workspace:."',
    '  dependencies:',
    version === 6 ? '    twin: "npm:left@^1.0.0"' : '    twin: "npm:left@^1.0.0"',
    '  languageName: unknown',
    '  linkType: soft',
    '',
    '"left@npm:^1.0.0, twin@npm:left@^1.0.0":',
    '  version: 1.0.0',
    '  resolution: "left@npm:1.0.0"',
    '  languageName: node',
    '  linkType: hard',
    '',
  ].join('\n');

type Case = {
  readonly prepare: readonly string[];
  readonly files: () => Files;
  readonly version: RegExp;
  readonly manager: string;
};
const patch = '--- /dev/null\n+++ b/README.md\n@@ -0,0 +1 @@\n+read\n';
const workspaces = { workspaces: ['packages/*'] };
const cases: Readonly<Record<string, Case>> = {
  'pnpm, lockfile 9': {
    prepare: ['pnpm', 'install', '--frozen-lockfile'],
    files: () => ({
      'package.json': root({ packageManager: 'pnpm@9.12.0' }),
      'pnpm-workspace.yaml': "packages: ['packages/*']\n",
      'pnpm-lock.yaml': pnpmLock('9.0'),
    }),
    manager: 'pnpm',
    version: /^10\./,
  },
  'pnpm, lockfile 6': {
    prepare: ['pnpm', 'install', '--frozen-lockfile'],
    files: () => ({
      'package.json': root(),
      'pnpm-workspace.yaml': "packages: ['packages/*']\n",
      'pnpm-lock.yaml': pnpmLock('6.0'),
    }),
    manager: 'pnpm',
    version: /^8\./,
  },
  'yarn 1': {
    prepare: ['yarn', 'install', '--frozen-lockfile'],
    files: () => ({ 'package.json': root(workspaces), 'yarn.lock': classicLock() }),
    manager: 'yarn',
    version: /^1\.22\./,
  },
  'yarn 3': {
    prepare: ['yarn', 'install'],
    files: () => ({
      'package.json': root({ ...workspaces, packageManager: 'yarn@3.6.0' }),
      '.yarnrc.yml': 'nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-3.6.0.cjs\n',
      'yarn.lock': berryLock(6),
    }),
    manager: 'yarn',
    version: /^3\./,
  },
  'yarn 4': {
    prepare: ['yarn', 'install'],
    files: () => ({
      'package.json': root(workspaces),
      '.yarnrc.yml': 'nodeLinker: node-modules\n',
      'yarn.lock': berryLock(8),
    }),
    manager: 'yarn',
    version: /^4\.9\./,
  },
};

describe.skipIf(noSandbox)('a repository of another package manager', () => {
  test.each(Object.entries(cases))(
    'is prepared by %s itself, offline, from what its lockfile names',
    async (_, each) => {
      const files = {
        ...each.files(),
        'packages/a/package.json': member,
        'packages/a/index.js': "module.exports = require('left');\n",
      };
      const check = {
        name: 'unit',
        kind: 'unit',
        command: [
          'node',
          '-e',
          "if (require('twin').one() !== 1 || require('./packages/a').one() !== 1) process.exit(1)",
        ],
      };
      const { line } = await npm.lineFor(files, {
        prepare: each.prepare,
        checks: [check],
        line: { name: 'patch', patch },
      });
      const asked = npm.registry.requests.length;
      const packages = await fetchPackages(line);
      expect(packages.outcome).toMatchObject({ verdict: 'ok', unknowns: [] });
      expect(npm.registry.requests.slice(asked)).toEqual(['GET left/-/left-1.0.0.tgz']);
      const noted = await baseline(line, packages);
      expect(noted.failure).toBeUndefined();
      expect(claims(noted).checks).toMatchObject([{ name: 'unit', passed: true }]);
      expect(claims(noted).sandbox.versions[each.manager]).toMatch(each.version);
    },
  );
});
