import { type Detector, lacking, unitCheck } from './finding.ts';

const reference =
  /<PackageReference\s+(?:Include="(?<name>[^"]+)"\s+Version="(?<version>[^"]+)"|Version="(?<version2>[^"]+)"\s+Include="(?<name2>[^"]+)")/g;

/** What makes a project one of tests: the test host, a framework's own package, or Microsoft.Testing.Platform. */
const testProject =
  /Microsoft\.NET\.Test\.Sdk|<IsTestProject>\s*true|MSTest\.Sdk|Include="(?:MSTest|MSTest\.TestFramework|xunit|xunit\.core|xunit\.v3[^"]*|NUnit|TUnit)"|<(?:EnableMSTestRunner|UseMicrosoftTestingPlatformRunner|TestingPlatformDotnetTestSupport)>\s*true/i;
/** A reference whose version stands elsewhere. */
const unversioned = /<PackageReference\s+Include="[^"]+"(?![^>]*\bVersion=)[^>]*\/>/;

/** .NET test projects: packages come from NuGet's folder of this machine, in exactly their version. */
export const detectDotnet: Detector = (tree, machine) => {
  const projects = tree.paths.filter((path) => /\.(?:cs|fs|vb)proj$/.test(path));
  const solutions = tree.paths.filter((path) => /^[^/]+\.slnx?$/.test(path));
  if (projects.length === 0) return undefined;
  if (!machine.hasToolchain('dotnet')) return lacking('dotnet', `${projects[0]} is there`);
  const text = (path: string) => tree.read(path) ?? '';
  const tests = projects.filter((path) => testProject.test(text(path)));
  if (tests.length === 0)
    return {
      toolchains: ['dotnet'],
      checks: [],
      missing: [`No test project was found among ${projects.length} of .NET.`],
    };
  const wanted = projects.flatMap((path) => [...text(path).matchAll(reference)].map(({ groups }) => groups ?? {}));
  const absent = wanted.filter(
    ({ name, name2, version, version2 }) => !machine.hasNugetPackage(name ?? name2 ?? '', version ?? version2 ?? ''),
  );
  const central =
    tree.has('Directory.Packages.props') ||
    projects.some((path) => unversioned.test(text(path))) ||
    tests.some((path) => /MSTest\.Sdk/.test(text(path)));
  if (absent.length > 0 || central) {
    const named = absent
      .map(({ name, name2, version, version2 }) => `${name ?? name2} ${version ?? version2}`)
      .slice(0, 5);
    return {
      toolchains: ['dotnet'],
      checks: [],
      missing: [
        `Packages of NuGet are not fetched for checks${named.length > 0 ? `, and this machine has no ${named.join(', ')}` : ''}: run "dotnet restore" on the workers' machine, or set FACTORY_NUGET_PACKAGES to a folder that has them, then declare "dotnet test".`,
      ],
    };
  }
  const [target = ''] = solutions.length === 1 ? solutions : tests;
  return {
    toolchains: ['dotnet'],
    checks: [unitCheck(['dotnet', 'test', target], `the tests of ${target}`, { timeoutSeconds: 600 })],
    missing: [],
  };
};
