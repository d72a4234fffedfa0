import type { TestFileKind } from './test-files.ts';

/** Extensions of files that can hold tests. Names that suggest tests mean nothing on others: `api.spec.yaml` is a document. */
const CODE =
  '(?:[cm]?[jt]sx?|vue|svelte|coffee|py|rb|go|rs|java|kts?|scala|groovy|cs|fs|vb|php|cc?|cpp|cxx|hh?|hpp|swift|mm?|dart|exs?|clj[cs]?|lua|p[lm]|t|sh|bash|zsh|bats|ps1|hs|ml|zig|nim|r|jl)';

type Rule = {
  readonly kind: TestFileKind;
  /** Tried on the whole path: `lower` in lower case, `exact` as it is, where only capitals tell (`ContestTest.java`, `contest.java`). */
  readonly lower?: RegExp;
  readonly exact?: RegExp;
  /** What these rules would take and is none. */
  readonly but?: RegExp;
};

const named = (pattern: string): RegExp => new RegExp(`(?:^|/)(?:${pattern})$`);
const inFolder = (pattern: string, rest = '.+'): RegExp => new RegExp(`(?:^|/)(?:${pattern})/${rest}$`);

/** Documents about tests hold none; a document under a test folder itself may be what a test reads. */
const DOCUMENTATION = /^docs?\/.*\.(?:md|mdx|rst|adoc|txt|html)$/;

const RULES: readonly Rule[] = [
  // How tests run.
  {
    kind: 'runner',
    lower: named(
      '[\\w.-]*(?:vitest|vite|jest|jasmine|mocha|karma|ava|tap|cypress|playwright(?:-ct)?|wdio|webdriverio|protractor|nightwatch|testem|testcafe|codecept|detox|stryker|wtr|web-test-runner)[\\w.-]*\\.(?:config|conf|setup|preset|workspace|shared)(?:\\.[\\w-]+)*',
    ),
  },
  {
    kind: 'runner',
    lower: named('\\.(?:mocharc|taprc|nycrc|c8rc|testemrc|testcaferc|jasmine|rspec|rspec-local)(?:\\.\\w+)?'),
  },
  {
    kind: 'runner',
    lower: named('jasmine\\.json|testem\\.\\w+|\\.testem\\.\\w+|node\\.config\\.json|\\.c8rc|karma\\.\\w+'),
  },
  { kind: 'runner', lower: named('\\.npmrc|\\.yarnrc(?:\\.yml)?|\\.pnpmfile\\.[cm]?js|bunfig\\.toml') },
  {
    kind: 'runner',
    lower: named(
      `(?:setup-?tests?|tests?[-_.]?setup|(?:jest|vitest)[-_.]setup|global-?setup|global-?teardown)\\.${CODE}`,
    ),
  },
  { kind: 'runner', lower: inFolder('__mocks__') },
  {
    kind: 'runner',
    lower: named(
      'conftest\\.py|\\.?pytest\\.(?:ini|toml)|tox\\.(?:ini|toml)|noxfile\\.py|nose2?\\.cfg|unittest\\.cfg|(?:site|user)customize\\.py|\\.stestr\\.conf|[^/]+\\.pth',
    ),
  },
  {
    kind: 'runner',
    lower: named('phpunit(?:\\.\\w+)?\\.xml(?:\\.dist)?|pest\\.php|codeception(?:\\.dist)?\\.ya?ml|behat\\.ya?ml'),
  },
  { kind: 'runner', lower: named('[^/]+\\.(?:runsettings|testsettings)|xunit\\.runner\\.json|testconfig\\.json') },
  { kind: 'runner', lower: named('junit-platform\\.properties|testng[\\w-]*\\.xml') },
  { kind: 'runner', lower: named('ctest(?:testfile|config|custom)\\.cmake|nextest\\.toml') },
  { kind: 'runner', lower: /(?:^|\/)\.cargo\/config(?:\.toml)?$/ },

  // Folders of tests, and of what tests read.
  { kind: 'test', lower: inFolder('tests?|__tests?__'), but: DOCUMENTATION },
  {
    kind: 'test',
    lower: inFolder('__(?:snapshots|fixtures)__|testdata|test[-_]?(?:utils?|helpers?|support|fixtures?|data|lib)'),
  },
  {
    kind: 'test',
    lower: inFolder(
      'unit[-_]?tests?|integration[-_]?tests?|functional[-_]?tests?|acceptance[-_]?tests?|system[-_]?tests?|e2e[-_]?tests?',
    ),
  },
  // `spec/` holds Ruby's and Jasmine's tests, and in other projects a specification: code in it is a test.
  { kind: 'test', lower: inFolder('specs?', `.*\\.(?:${CODE}|feature)`) },
  { kind: 'test', lower: inFolder('specs?', '(?:.*/)?(?:fixtures?|support|factories|cassettes)/.+') },
  // Not below a source folder, where it is as often end-to-end encryption.
  { kind: 'test', lower: inFolder('e2e'), but: /(?:^|\/)(?:src|lib|pkg|internal|app)\/(?:.*\/)?e2e\// },
  { kind: 'test', lower: inFolder('cypress') },
  { kind: 'test', lower: inFolder('fixtures?'), but: /(?:^|\/)(?:examples?|samples?|demos?|docs?)\// },
  { kind: 'test', lower: inFolder('t|xt', '.*\\.(?:t|pl|pm)') },
  { kind: 'test', lower: /(?:^|\/)src\/(?:test|it|[a-z]*test|testfixtures)\/.+$/ },
  { kind: 'test', exact: /(?:^|\/)[^/]*(?:[a-z0-9]Tests|\.[A-Za-z0-9]*Tests?)\/.+$/ },

  // Names of tests.
  // A command line's own `test` command is no test.
  { kind: 'test', lower: named(`tests?\\.${CODE}`), but: /(?:^|\/)(?:commands?|cmds?|subcommands?|verbs)\/[^/]+$/ },
  { kind: 'test', lower: named(`[^/]+[._-](?:tests?|specs?|e2e|cy|tst|test-d|int-?test|it-?test)\\.${CODE}`) },
  { kind: 'test', lower: named(`tests?[-_.][^/]*\\.${CODE}`) },
  { kind: 'test', lower: /^spec\.(?:[cm]?[jt]s|rb)$/ },
  { kind: 'test', lower: named('[^/]+\\.(?:bats|feature|robot|t)') },
  { kind: 'test', lower: named('[^/]+\\.(?:snap|ambr|golden)|[^/]+\\.(?:verified|approved)\\.\\w+') },
  {
    kind: 'test',
    exact:
      /(?:^|\/)(?:[A-Za-z0-9_]*[a-z0-9_])?(?:Tests?|TestCase|IT|ITCase|Specs?)\.(?:java|kts?|scala|groovy|cs|fs|vb|php|swift|cpp|cc|mm?)$/,
  },
  { kind: 'test', exact: /(?:^|\/)Test[A-Z0-9_][A-Za-z0-9_]*\.(?:java|kts?|scala|groovy|cs|php|cpp|cc)$/ },
  { kind: 'test', exact: /(?:^|\/)[^/]*[.A-Za-z0-9]Tests?\.(?:cs|fs|vb)proj$/ },
];

/**
 * What a path's names and folders suggest, at any depth and in any of the ecosystems that are served; undefined for none. Where a name
 * may mean either, it is a test: what is closed wrongly is opened by a packet or the declaration, what is open wrongly by nobody.
 */
export function namedTestFile(path: string): TestFileKind | undefined {
  const lower = path.toLowerCase();
  return RULES.find(
    ({ lower: inLower, exact, but }) => (inLower?.test(lower) || exact?.test(path)) && but?.test(lower) !== true,
  )?.kind;
}
