import type { ApplicationDeclaration } from '../application/declaration.ts';
import { testFileKinds } from '../application/test-files.ts';
import { matcherOf } from '../packet/glob.ts';
import type { RiskTier } from './tier.ts';

/** What kind of file a path is, for risk: the first class that fits. */
export type PathClass =
  | 'critical'
  | 'protected'
  | 'migration'
  | 'pipeline'
  | 'infrastructure'
  | 'security'
  | 'manifest'
  | 'runner'
  | 'test'
  | 'docs'
  | 'source';

export const TIER_OF_CLASS: Readonly<Record<PathClass, RiskTier>> = {
  critical: 'critical',
  protected: 'high',
  migration: 'high',
  pipeline: 'high',
  infrastructure: 'high',
  security: 'high',
  manifest: 'medium',
  runner: 'medium',
  source: 'medium',
  test: 'low',
  docs: 'low',
};

export const MEANING_OF_CLASS: Readonly<Record<PathClass, string>> = {
  critical: 'files that the application declares critical',
  protected: 'files that the application protects',
  migration: 'database migrations',
  pipeline: 'build and delivery pipelines',
  infrastructure: 'infrastructure',
  security: 'authentication, authorisation or secrets',
  manifest: 'package manifests or lockfiles',
  runner: 'what decides how tests run',
  source: 'source code',
  test: 'tests',
  docs: 'documentation',
};

const PIPELINE =
  /^(\.github\/(workflows|actions)\/|\.gitlab-ci\.ya?ml$|\.gitlab\/|\.circleci\/|azure-pipelines[^/]*\.ya?ml$|\.azure-?pipelines\/|jenkinsfile$|\.husky\/|\.githooks\/|\.buildkite\/)/u;
const INFRASTRUCTURE =
  /((^|\/)(infra|infrastructure|terraform|bicep|k8s|kubernetes|helm|charts|deploy|deployment)\/|\.(bicep|bicepparam|tf|tfvars|hcl)$|(^|\/)(dockerfile[^/]*|docker-compose[^/]*\.ya?ml|compose\.ya?ml|host\.json)$)/u;
const SECURITY =
  /((^|\/)(auth|authn|authz|authentication|authorization|authorisation|oauth|oidc|saml|login|sso|session|sessions|security|crypto|permissions?|acl|rbac|secrets?|credentials?|keys|certs?)(\/|[._-][^/]*$|$)|(^|\/)(codeowners|\.env[^/]*|\.npmrc|\.yarnrc[^/]*|\.pnpmfile\.[cm]?js|bunfig\.toml|pip\.conf|\.pypirc|nuget\.config|\.gitattributes|\.gitmodules)$|(^|\/)\.yarn\/(releases|plugins)\/|\.(pem|key|p12|pfx|crt|cedar)$)/u;
const MIGRATION = /(^|\/)(migrations?|db\/migrate)\/|\.sql$/u;
const MANIFEST =
  /(^|\/)(package\.json|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|pnpm-workspace\.yaml|bun\.lockb?|deno\.lock|requirements[^/]*\.txt|constraints[^/]*\.txt|pyproject\.toml|(poetry|uv|pdm)\.lock|pipfile(\.lock)?|go\.(mod|sum)|cargo\.(toml|lock)|gemfile(\.lock)?|composer\.(json|lock)|pom\.xml|build\.gradle(\.kts)?|[^/]*\.(csproj|fsproj)|packages\.lock\.json|directory\.packages\.props)$/u;
/**
 * Whether a file names dependencies or locks them, by its name, in any folder and of any ecosystem. Those that say where packages
 * come from, and what runs when they are installed, are of the class security.
 */
export const isManifest = (path: string): boolean => MANIFEST.test(path.toLowerCase());

const DOCS = /(^docs?\/|\.(md|mdx|rst|adoc|txt)$|(^|\/)(license|changelog|authors|contributing|readme)$)/u;

/**
 * A classifier of paths. What the application declares outweighs what names suggest; among names the riskier class comes first,
 * so a file that looks like two is taken for the worse (`docs/` under `.github/workflows/` is a pipeline). Case is ignored,
 * since a check-out may ignore it.
 */
export function pathClassifier(
  declaration: ApplicationDeclaration,
  testPaths: readonly string[],
): (path: string) => PathClass {
  const critical = matcherOf(declaration.criticalPaths ?? []);
  const guarded = matcherOf(declaration.protectedPaths);
  const kindOf = testFileKinds(declaration);
  const declaredTest = matcherOf(declaration.testFiles);
  const measuredTests = new Set(testPaths);
  return (path) => {
    const lower = path.toLowerCase();
    if (critical(path) || critical(lower)) return 'critical';
    if (guarded(path) || guarded(lower)) return 'protected';
    if (PIPELINE.test(lower)) return 'pipeline';
    if (MIGRATION.test(lower)) return 'migration';
    if (INFRASTRUCTURE.test(lower)) return 'infrastructure';
    if (isManifest(lower)) return 'manifest';
    const kind = kindOf(path);
    if (kind === 'runner') return SECURITY.test(lower) ? 'security' : 'runner';
    if (measuredTests.has(path) || declaredTest(path)) return 'test';
    if (DOCS.test(lower)) return 'docs';
    if (SECURITY.test(lower)) return 'security';
    return kind === 'test' ? 'test' : 'source';
  };
}
