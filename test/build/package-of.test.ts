import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageOf } from '../../scripts/build/package-of.ts';
import { sources } from '../../scripts/lint/sources.ts';

const files = sources(path.join(import.meta.dirname, '..', '..'));

describe('a deployable package', () => {
  it.each(['station', 'verifier', 'effector'])(
    'of the %s role holds no database, no policy and no control function',
    (role) => {
      const { modules, packages } = packageOf(role, files);
      expect(
        modules.filter((module) =>
          /^(shared\/(store|gates|audit|artifacts|access|plane|line)|functions\/control)\//.test(module),
        ),
      ).toEqual([]);
      expect(packages).not.toContain('kysely');
      expect(packages).not.toContain('@cedar-policy/cedar-wasm');
      expect(packages).not.toContain('durable-functions');
    },
  );

  it('of the station and the verifier role holds no code host and no effect', () => {
    for (const role of ['station', 'verifier'])
      expect(
        packageOf(role, files).modules.filter((module) =>
          /^shared\/effects\/(deliver|code-hosts|fetch)\//.test(module),
        ),
      ).toEqual([]);
  });

  it('of the effector role holds no station and no verifier, but the form of a receipt, which it reads', () => {
    expect(
      packageOf('effector', files).modules.filter((module) => /^shared\/(stations|verify)\//.test(module)),
    ).toEqual(['shared/verify/receipt.ts']);
  });

  it('carries the scripts that run inside the sandbox, and the files that policy is read from', () => {
    expect(packageOf('station', files).modules).toContain('shared/stations/api-migration/inside/apply-rules.ts');
    expect(packageOf('control', files).assets.some((asset) => asset.endsWith('.cedarschema'))).toBe(true);
  });
});
