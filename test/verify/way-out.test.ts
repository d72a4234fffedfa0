import { describe, expect, test } from 'vitest';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { WAY_OUT } from '../../shared/verify/endings/ending.ts';
import { createFindings } from '../../shared/verify/findings.ts';
import { wayOut } from '../../shared/verify/way-out.ts';

const declared = (environment?: object) =>
  applicationDeclaration.parse({
    apiVersion: 'factory/v1',
    kind: 'Application',
    name: 'a',
    repositories: [{ name: 'a', codeHost: 'local', location: '/a.git' }],
    ...(environment === undefined ? {} : { environment }),
  });
const of = (environment?: object, lacking?: string) => {
  const findings = createFindings();
  if (lacking !== undefined) findings.concern('packages_missing', lacking);
  return wayOut('package', { findings, declaration: declared(environment) });
};

describe('what to do about a module that is missing', () => {
  test('why packages could not be had, where that is known', () => {
    expect(of({ toolchain: ['python'], setup: { python: {} } }, 'Python: no index: set FACTORY_PYTHON_INDEX')).toBe(
      'Packages could not be had (Python: no index: set FACTORY_PYTHON_INDEX): mend that first.',
    );
  });

  test('where it has to be named, by what the checks run with', () => {
    expect(of()).toBe(WAY_OUT.package);
    expect(of({ toolchain: ['node', 'python'] })).toBe(WAY_OUT.package);
    expect(of({ toolchain: ['python'] })).toMatch(/environment\.setup\.python/);
    for (const toolchain of ['go', 'rust', 'dotnet', 'java', 'c'])
      expect(of({ toolchain: [toolchain] })).toMatch(/npm and Python alone: commit this one/);
  });

  test('other causes have a way out of their own, whatever packages are missing', () => {
    const findings = createFindings();
    findings.concern('packages_missing', 'left');
    expect(wayOut('command', { findings, declaration: declared() })).toBe(WAY_OUT.command);
  });
});
