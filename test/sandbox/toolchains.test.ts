import { cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { ToolchainName } from '../../shared/domain/application/check-environment.ts';
import { toolMounts } from '../../shared/sandbox/mounts.ts';
import { TOOLCHAINS } from '../../shared/sandbox/toolchains/catalogue.ts';
import { openToolchains } from '../../shared/sandbox/toolchains/open-toolchains.ts';
import { packagesOf } from '../../shared/sandbox/toolchains/places.ts';
import { bubblewrap, inside, limits, probed, text, writableDirectory } from './sandboxes.ts';

/** A project of one language, and what builds and tests it without a network. */
type Project = { readonly files: Readonly<Record<string, string>>; readonly script: string; readonly says: string };

const projects: Readonly<Partial<Record<ToolchainName, Project>>> = {
  python: {
    files: {
      'sums.py': 'def total(values):\n    return sum(values)\n',
      'test_sums.py':
        'import unittest\nfrom sums import total\n\nclass Sums(unittest.TestCase):\n    def test_total(self):\n        self.assertEqual(total([1, 2]), 3)\n',
    },
    script: 'python3 -m unittest -v 2>&1',
    says: 'Ran 1 test',
  },
  c: {
    files: {
      'CMakeLists.txt':
        'cmake_minimum_required(VERSION 3.10)\nproject(sums C)\nenable_testing()\nadd_executable(sums_test sums_test.c)\nadd_test(NAME sums COMMAND sums_test)\n',
      'sums_test.c': 'int main(void) { return 1 + 2 == 3 ? 0 : 1; }\n',
    },
    script: 'cmake -S . -B /tmp/build && cmake --build /tmp/build && ctest --test-dir /tmp/build 2>&1',
    says: '100% tests passed',
  },
  make: {
    files: { Makefile: 'test:\n\t@test $$((1 + 2)) -eq 3 && echo "1 test passed"\n' },
    script: 'make test',
    says: '1 test passed',
  },
  go: {
    files: {
      'go.mod': 'module example.org/sums\n\ngo 1.16\n',
      'sums_test.go':
        'package sums\n\nimport "testing"\n\nfunc TestTotal(t *testing.T) {\n\tif 1+2 != 3 {\n\t\tt.Fatal("wrong")\n\t}\n}\n',
    },
    script: 'go test -v ./... 2>&1',
    says: '--- PASS: TestTotal',
  },
  rust: {
    files: {
      'Cargo.toml': '[package]\nname = "sums"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/lib.rs':
        'pub fn total(a: i32, b: i32) -> i32 { a + b }\n#[test]\nfn adds() { assert_eq!(total(1, 2), 3); }\n',
    },
    script: 'cargo test 2>&1',
    says: 'test result: ok. 1 passed',
  },
  java: {
    files: {
      'SumsTest.java':
        'public class SumsTest { public static void main(String[] a) { if (1 + 2 != 3) System.exit(1); System.out.println("1 test passed"); } }\n',
    },
    script: 'javac -d /tmp/classes SumsTest.java && java -cp /tmp/classes SumsTest 2>&1',
    says: '1 test passed',
  },
  dotnet: {
    files: {
      'sums.csproj':
        '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net$MAJOR.0</TargetFramework></PropertyGroup></Project>\n',
      'Program.cs': 'if (1 + 2 != 3) return 1;\nSystem.Console.WriteLine("1 test passed");\nreturn 0;\n',
    },
    script: 'sed -i "s/\\$MAJOR/$(dotnet --version | cut -d. -f1)/" sums.csproj && dotnet run 2>&1',
    says: '1 test passed',
  },
};

const realpathOf = (path: string) => (existsSync(path) ? realpathSync(path) : undefined);

function checkoutOf({ files }: Project): string {
  const directory = writableDirectory();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

describe.skipIf(!probed.usable)('toolchains', () => {
  for (const [name, project] of Object.entries(projects) as [ToolchainName, Project][]) {
    test(`${name}: a project is built and tested offline, and the version that did it is known`, async ({ skip }) => {
      const opened = await openToolchains(bubblewrap, [{ name }]);
      if ('missing' in opened) return skip(`this machine has no ${name}`);
      const result = await inside(`cp -r /project /tmp/work && cd /tmp/work && ${project.script}`, {
        mounts: [{ source: checkoutOf(project), target: '/project', mode: 'read-only' }],
        tools: opened.tools,
        environment: opened.environment,
        limits: { ...limits, wallMs: 110_000 },
      });
      expect(text(result.stdout) + text(result.stderr)).toContain(project.says);
      expect(result).toMatchObject({ exitCode: 0, endedBy: 'itself' });
      const main = name === 'c' ? 'cc' : name === 'rust' ? 'cargo' : name;
      expect(opened.versions[main]).toMatch(/^\d+(\.\d+)+/);
    });
  }

  test('a version is matched by its components, and what is there is told where none fits', async () => {
    const plain = await openToolchains(bubblewrap, [{ name: 'node' }]);
    if ('missing' in plain) throw new Error('every sandbox has Node');
    const [major = ''] = (plain.versions['node'] ?? '').split('.');
    expect(await openToolchains(bubblewrap, [{ name: 'node', version: major }])).not.toHaveProperty('missing');
    expect(await openToolchains(bubblewrap, [{ name: 'node', version: major.slice(0, 1) }])).toMatchObject({
      missing: [{ wanted: { name: 'node' }, there: expect.arrayContaining([plain.versions['node']]) }],
    });
  });

  test('packages of NuGet come from the folder that the worker names, read-only, else from that of dotnet', async ({
    skip,
  }) => {
    const [set, own] = [writableDirectory(), writableDirectory()];
    const of = (environment: Record<string, string>) => packagesOf(TOOLCHAINS.dotnet, environment);
    expect(of({ FACTORY_NUGET_PACKAGES: set, NUGET_PACKAGES: own })).toBe(realpathSync(set));
    expect(of({ FACTORY_NUGET_PACKAGES: '', NUGET_PACKAGES: own })).toBe(realpathSync(own));
    for (const wrong of ['relative', join(set, 'absent'), '/etc/hostname'])
      expect(of({ FACTORY_NUGET_PACKAGES: wrong, NUGET_PACKAGES: own })).toBeUndefined();
    expect([undefined, realpathOf(join(homedir(), '.nuget/packages'))]).toContain(of({}));

    writeFileSync(join(set, 'left'), 'a package');
    vi.stubEnv('FACTORY_NUGET_PACKAGES', set);
    try {
      const opened = await openToolchains(bubblewrap, [{ name: 'dotnet' }]);
      if ('missing' in opened) return skip('this machine has no dotnet');
      const { tools, environment } = opened;
      const result = await inside('cat "$RestoreSources/left"; touch "$RestoreSources/new"', { tools, environment });
      expect(text(result.stdout)).toBe('a package');
      expect(text(result.stderr)).toMatch(/Read-only file system/);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('a home, a folder of the system and a link are never mounted as a tool', () => {
    const mounted = (path: string) => toolMounts({ path: [], directories: [path] });
    for (const path of ['/', '/etc', '/root', '/home', homedir(), dirname(homedir()), '/var', '/opt'])
      expect(() => mounted(path)).toThrow(/SANDBOX-MOUNT-REFUSED/);
    expect(() => mounted('/proc/self')).toThrow(/SANDBOX-MOUNT-REFUSED/);
    expect(() => mounted('/absent/tool')).toThrow(/SANDBOX-MOUNT-REFUSED/);
    expect(mounted('/usr/lib/jvm')).toEqual([]);
  });

  test('what is beside a mounted tool in the same home is not there', async () => {
    const home = writableDirectory();
    mkdirSync(join(home, 'tool/bin'), { recursive: true });
    cpSync('/bin/true', join(home, 'tool/bin/a-tool'));
    writeFileSync(join(home, 'credentials'), 'secret');
    const tools = { path: [join(home, 'tool/bin')], directories: [join(home, 'tool')] };
    const result = await inside(`a-tool && echo ran; cat ${home}/credentials; touch ${home}/tool/new`, { tools });
    expect(text(result.stdout)).toBe('ran\n');
    expect(text(result.stderr)).toMatch(/No such file[\s\S]*Read-only file system/);
  });
});
