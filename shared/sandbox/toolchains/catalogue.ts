import type { ToolchainName } from '../../domain/application/check-environment.ts';

/** What a toolchain is made of, and where machines keep it. */
export type ToolchainKind = {
  /** Program → arguments that make it print its version. The first one has to be there. */
  readonly programs: Readonly<Record<string, string>>;
  /**
   * Directories that hold installations besides `/usr`, each with a `bin` or the programs themselves. `~` is the worker's home,
   * `*` one component. Only what is named here is ever mounted: never a home, never a folder that keeps credentials.
   */
  readonly places: readonly string[];
  /** Files outside of the installation that it reads; `*` as above. */
  readonly files: readonly string[];
  /**
   * A folder of packages on the machine, for use without a network: the first of these settings of the worker that is set names it, else
   * it is the usual one. Inside, `variable` says where it is.
   */
  readonly packages?: { readonly settings: readonly string[]; readonly usual: string; readonly variable: string };
  /** Keeps it offline and quiet, with its caches where it may write. */
  readonly environment: Readonly<Record<string, string>>;
};

export const TOOLCHAINS: Readonly<Record<ToolchainName, ToolchainKind>> = {
  node: {
    programs: { node: '--version', npm: '--version' },
    places: ['~/.nvm/versions/node/*', '~/.local/share/fnm/node-versions/*/installation', '/opt/node*'],
    files: [],
    environment: {},
  },
  python: {
    programs: { python3: '--version', pip: '--version' },
    places: ['~/.pyenv/versions/*', '~/.local/share/uv/python/cpython-*', '/opt/python*'],
    files: [],
    environment: { PYTHONNOUSERSITE: '1', PIP_NO_INDEX: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' },
  },
  dotnet: {
    programs: { dotnet: '--version' },
    // What dotnet itself keeps packages in. The credentials of feeds lie elsewhere (~/.nuget/NuGet), and are never seen inside.
    packages: {
      settings: ['FACTORY_NUGET_PACKAGES', 'NUGET_PACKAGES'],
      usual: '~/.nuget/packages',
      variable: 'RestoreSources',
    },
    places: ['/usr/share/dotnet', '/usr/lib/dotnet', '/opt/dotnet'],
    files: [],
    environment: {
      DOTNET_CLI_HOME: '/tmp/dotnet',
      DOTNET_CLI_TELEMETRY_OPTOUT: '1',
      DOTNET_CLI_UI_LANGUAGE: 'en',
      DOTNET_GENERATE_ASPNET_CERTIFICATE: 'false',
      DOTNET_NOLOGO: '1',
      DOTNET_SKIP_FIRST_TIME_EXPERIENCE: '1',
      // Servers that outlive the build would be killed with it, and the next command would wait for them.
      MSBUILDDISABLENODEREUSE: '1',
      UseSharedCompilation: 'false',
      NuGetAudit: 'false',
      NUGET_PACKAGES: '/tmp/nuget',
    },
  },
  go: {
    programs: { go: 'version' },
    places: ['/usr/local/go', '/usr/lib/go-*', '~/sdk/go*', '/opt/go*'],
    files: [],
    environment: {
      GOCACHE: '/tmp/go-build',
      GOPATH: '/tmp/go',
      GOPROXY: 'off',
      GOTOOLCHAIN: 'local',
      GOTELEMETRY: 'off',
      // A checkout has no .git to take a version from.
      GOFLAGS: '-buildvcs=false',
    },
  },
  java: {
    programs: { java: '-version', javac: '-version', mvn: '--version', gradle: '--version' },
    places: ['/usr/lib/jvm/*', '/opt/java/*', '/opt/jdk*', '~/.sdkman/candidates/java/*'],
    // Debian keeps a JDK's and Maven's configuration in /etc. Not settings.xml: it may hold a server's password.
    files: [
      '/etc/java-*-openjdk/*.cfg',
      '/etc/java-*-openjdk/*.properties',
      '/etc/java-*-openjdk/security',
      '/etc/java-*-openjdk/jfr',
      '/etc/ssl/certs/java/cacerts',
      '/etc/maven/m2.conf',
      '/etc/maven/logging',
    ],
    environment: {},
  },
  rust: {
    programs: { cargo: '--version', rustc: '--version' },
    places: ['~/.rustup/toolchains/*', '/usr/local/rustup/toolchains/*', '/opt/rust*'],
    files: [],
    environment: { CARGO_HOME: '/tmp/cargo', CARGO_NET_OFFLINE: 'true', CARGO_TERM_COLOR: 'never' },
  },
  c: {
    programs: {
      cc: '--version',
      gcc: '--version',
      'c++': '--version',
      clang: '--version',
      make: '--version',
      cmake: '--version',
    },
    places: [],
    files: [],
    environment: {},
  },
  make: { programs: { make: '--version' }, places: [], files: [], environment: {} },
};
