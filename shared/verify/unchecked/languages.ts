/** Languages that are built and tested together. */
export type Family =
  | 'javascript'
  | 'python'
  | 'go'
  | 'rust'
  | 'jvm'
  | 'dotnet'
  | 'ruby'
  | 'php'
  | 'perl'
  | 'native'
  | 'swift'
  | 'dart'
  | 'elixir'
  | 'haskell';

type Told = {
  readonly name: string;
  /** Files whose presence makes a folder a project of its own. */
  readonly manifest: RegExp;
  /** Programs that say of themselves what they run. Those that run whatever they are told to are left out. */
  readonly programs: RegExp;
  /** Often compiled into another language's project, and tested through it. */
  readonly embedded?: true;
};

export const FAMILIES: Readonly<Record<Family, Told>> = {
  javascript: {
    name: 'JavaScript',
    manifest: /^(?:package|deno)\.jsonc?$/,
    programs:
      /^(?:npm|npx|yarn|pnpm|pnpx|bun|bunx|deno|vitest|jest|mocha|ava|tap|tape|jasmine|karma|cypress|playwright|tsc|vue-tsc|eslint|biome|oxlint|xo|standard|c8|nyc)$/,
  },
  python: {
    name: 'Python',
    manifest: /^(?:pyproject\.toml|setup\.(?:py|cfg)|Pipfile|requirements\.txt)$/,
    programs: /^(?:pytest|py\.test|tox|nox|mypy|pyright|ruff|flake8|pylint|black|isort|trial|nosetests|coverage)$/,
  },
  go: {
    name: 'Go',
    manifest: /^go\.mod$/,
    programs: /^(?:go|gofmt|gotestsum|golangci-lint|staticcheck)$/,
  },
  rust: { name: 'Rust', manifest: /^Cargo\.toml$/, programs: /^(?:cargo|rustc|rustfmt)$/, embedded: true },
  jvm: {
    name: 'the JVM',
    manifest: /^(?:pom\.xml|build\.(?:gradle(?:\.kts)?|sbt|xml)|settings\.gradle(?:\.kts)?)$/,
    programs: /^(?:mvnw?|gradlew?|sbt|javac|kotlinc|scalac)$/,
  },
  dotnet: { name: '.NET', manifest: /\.(?:[cfv]sproj|vbproj|slnx?)$/, programs: /^(?:dotnet|msbuild)$/ },
  ruby: { name: 'Ruby', manifest: /^(?:Gemfile|.+\.gemspec)$/, programs: /^(?:rspec|rubocop|cucumber)$/ },
  php: { name: 'PHP', manifest: /^composer\.json$/, programs: /^(?:phpunit|pest|phpstan|psalm)$/ },
  perl: { name: 'Perl', manifest: /^(?:cpanfile|Makefile\.PL|Build\.PL|dist\.ini)$/, programs: /^prove$/ },
  native: {
    name: 'C and C++',
    manifest: /^(?:CMakeLists\.txt|meson\.build|configure(?:\.ac)?)$/,
    programs: /^(?:gcc|g\+\+|cc|c\+\+|clang(?:\+\+)?|clang-(?:tidy|format)|cppcheck)$/,
    embedded: true,
  },
  swift: { name: 'Swift', manifest: /^Package\.swift$/, programs: /^(?:swift|xcodebuild|swiftlint)$/ },
  dart: { name: 'Dart', manifest: /^pubspec\.yaml$/, programs: /^(?:dart|flutter)$/ },
  elixir: { name: 'Elixir', manifest: /^mix\.exs$/, programs: /^mix$/ },
  haskell: { name: 'Haskell', manifest: /^(?:.+\.cabal|stack\.yaml)$/, programs: /^(?:cabal|stack|ghc)$/ },
};

export const familyNames = Object.keys(FAMILIES) as Family[];

type Language = { readonly name: string; readonly family: Family; readonly files: RegExp };

/** Languages that one runner or another tests. Shell, SQL, styles and templates are not among them: what runs those can't be told. */
const LANGUAGES: readonly Language[] = [
  { name: 'TypeScript', family: 'javascript', files: /\.[cm]?tsx?$/ },
  { name: 'JavaScript', family: 'javascript', files: /\.(?:[cm]?jsx?|vue|svelte)$/ },
  { name: 'Python', family: 'python', files: /\.py$/ },
  { name: 'Go', family: 'go', files: /\.go$/ },
  { name: 'Rust', family: 'rust', files: /\.rs$/ },
  { name: 'Java', family: 'jvm', files: /\.java$/ },
  { name: 'Kotlin', family: 'jvm', files: /\.kt$/ },
  { name: 'Scala', family: 'jvm', files: /\.scala$/ },
  { name: 'Groovy', family: 'jvm', files: /\.groovy$/ },
  { name: 'C#', family: 'dotnet', files: /\.cs$/ },
  { name: 'F#', family: 'dotnet', files: /\.fs$/ },
  { name: 'Visual Basic', family: 'dotnet', files: /\.vb$/ },
  { name: 'Ruby', family: 'ruby', files: /\.rb$/ },
  { name: 'PHP', family: 'php', files: /\.php$/ },
  { name: 'Perl', family: 'perl', files: /\.(?:pl|pm)$/ },
  { name: 'C', family: 'native', files: /\.[ch]$/ },
  { name: 'C++', family: 'native', files: /\.(?:cc|cpp|cxx|hh|hpp|hxx)$/ },
  { name: 'Swift', family: 'swift', files: /\.swift$/ },
  { name: 'Dart', family: 'dart', files: /\.dart$/ },
  { name: 'Elixir', family: 'elixir', files: /\.exs?$/ },
  { name: 'Haskell', family: 'haskell', files: /\.hs$/ },
];

/** The language of a file of code by its name; undefined for any other file. */
export const languageOf = (path: string): Language | undefined => LANGUAGES.find(({ files }) => files.test(path));

/** The family whose tool a program is; undefined where its name does not tell. */
export const familyOfProgram = (program: string): Family | undefined =>
  familyNames.find((family) => FAMILIES[family].programs.test(program));
