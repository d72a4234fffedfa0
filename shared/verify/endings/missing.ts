import { posix } from 'node:path';
import type { MissingCause } from './ending.ts';
import type { KnownCode } from './known-code.ts';

/** Something that was not there: outside the repository, or the repository's own code. */
export type Missing =
  | { readonly outside: true; readonly cause: MissingCause; readonly what: string }
  | { readonly outside: false; readonly what: string };

type Reading = (match: RegExpExecArray, code: KnownCode, workspace: string) => Missing | undefined;
type Pattern = readonly [RegExp, Reading];

const outside = (cause: MissingCause, what: string): Missing => ({
  outside: true,
  cause,
  what: what.trim().slice(0, 300),
});
const own = (what: string): Missing => ({ outside: false, what: what.trim().slice(0, 300) });
const always =
  (cause: MissingCause): Reading =>
  (match) =>
    outside(cause, match[0]);

/** A file that the command or a build names: the repository's when the packet's change brings it, else nobody's. */
const fileNamed =
  (group: number): Reading =>
  (match, code, workspace) =>
    ownFile(match[group] ?? '', match[0], code, workspace);

function ownFile(named: string, said: string, code: KnownCode, workspace: string): Missing {
  const path = insidePath(named, workspace);
  if (path === undefined || inPackages(path)) return outside('file', said);
  return code.willHold(path) === true || code.holds(path) ? own(said) : outside('file', said);
}

/** The path from the repository's root, or undefined when it lies outside. */
function insidePath(named: string, workspace: string): string | undefined {
  const bare = named.replace(/^file:\/\//, '');
  const path = posix.normalize(bare.startsWith(`${workspace}/`) ? bare.slice(workspace.length + 1) : bare);
  return path.startsWith('/') || path === '..' || path.startsWith('../') ? undefined : path;
}

const inPackages = (path: string): boolean => /(?:^|\/)(?:node_modules|site-packages|vendor)\//.test(path);

/** A module by the specifier that asked for it, from the file that did. */
function module(
  specifier: string,
  from: string | undefined,
  said: string,
  code: KnownCode,
  workspace: string,
): Missing {
  // `#name`, `@/name` and `~/name` can name no package: they are aliases of the repository's own.
  if (/^(?:#|@\/|~)/.test(specifier)) return own(said);
  if (/^\.{1,2}(?:\/|$)/.test(specifier)) return relativeModule(specifier, from, said, code, workspace);
  if (specifier.startsWith('/') || specifier.startsWith('file:')) {
    const path = insidePath(specifier, workspace);
    if (path === undefined || inPackages(path)) return outside('package', said);
    return code.willHold(path) === false && !code.holds(path) ? outside('file', said) : own(said);
  }
  return code.isOwnName(specifier) ? own(said) : outside('package', said);
}

function relativeModule(
  specifier: string,
  from: string | undefined,
  said: string,
  code: KnownCode,
  workspace: string,
): Missing {
  const importer = from === undefined ? undefined : insidePath(from, workspace);
  if (from !== undefined && (importer === undefined || inPackages(importer))) return outside('package', said);
  // Some runners name the importer from a root of their own: then where it points can't be told.
  if (importer === undefined || !(code.holds(importer) || code.willHold(importer) === true)) return own(said);
  const path = posix.join(posix.dirname(importer), specifier);
  // Neither now nor with the change: no change makes this run, and what a build makes is not there.
  return code.willHold(path) === false && !code.holds(path) ? outside('file', said) : own(said);
}

const programNamed =
  (group: number): Reading =>
  (match, code, workspace) => {
    const name = match[group] ?? '';
    // A relative path that is not among packages is a program of the repository's own.
    if (name.includes('/') && insidePath(name, workspace) !== undefined)
      return ownFile(name, match[0], code, workspace);
    return outside('command', match[0]);
  };

const byName =
  (group: number): Reading =>
  (match, code) =>
    code.isOwnName(match[group] ?? '') ? own(match[0]) : outside('package', match[0]);

/**
 * What programs say when something is not there, in the order of their weight: a missing command outweighs a module that it would have
 * loaded. Each pattern takes whole lines (after the prefixes that `bareLines` removes), so that a test about such messages is not
 * taken for one.
 */
const PATTERNS: readonly Pattern[] = [
  // Shells, env(1), make, Node's spawn.
  [
    /^(?:\S*(?:sh|bash|dash|zsh|ash|env|exec)): (?:line )?(?:\d+: )?(?:exec: )?['‘]?([^\s:'’]+)['’]?: (?:command )?not found$/m,
    programNamed(1),
  ],
  [
    /^(?:\S*(?:sh|bash|dash|zsh|ash)): (?:line )?(?:\d+: )?(\S+): (?:No such file or directory|Permission denied|cannot execute.*)$/m,
    programNamed(1),
  ],
  [/^(?:\/usr\/bin\/)?env: ['‘]?([^\s'’]+)['’]?: (?:No such file or directory|Permission denied)$/m, programNamed(1)],
  [
    /^(?:make(?:\[\d+\])?|gmake|nice|timeout|xargs|time|prlimit|bwrap): (?:execvp |failed to (?:run command|execute) )?['‘]?([^\s:'’]+)['’]?: No such file or directory$/m,
    programNamed(1),
  ],
  [/^(?:Error: )?spawn(?:Sync)? (\S+) ENOENT$/m, programNamed(1)],
  [/^ERR_PNPM_RECURSIVE_EXEC_FIRST_FAIL\s+Command "([^"]+)" not found/m, programNamed(1)],
  [/^bundler: command not found: (\S+)/m, programNamed(1)],
  [/^(?:make(?:\[\d+\])?|gmake): \*\*\* .*\] Error 12[67]\b.*$/m, always('command')],
  // Scripts and targets.
  [/^(?:npm (?:error|ERR!) )?(?:Missing script: .*|missing script: .*)$/m, always('script')],
  [/^(?:error|Usage Error:) (?:Command "[^"]*" not found|Couldn['’]t find a script named .*)$/m, always('script')],
  [/^ERR_PNPM_NO_SCRIPT\b.*$/m, always('script')],
  [/^(?:error: )?Script not found "[^"]*"$/m, always('script')],
  [
    /^(?:ERR_PNPM_NO_IMPORTER_MANIFEST_FOUND\b.*|npm (?:error|ERR!) enoent Could not read package\.json.*)$/m,
    always('script'),
  ],
  [/^(?:npm (?:error|ERR!) )?could not determine executable to run\b.*$/m, always('command')],
  [/^npm (?:error|ERR!) code (?:ENOTCACHED|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETARGET|E404)$/m, always('package')],
  [/^(?:make(?:\[\d+\])?|gmake): \*\*\* No rule to make target ['‘]([^'’]+)['’], needed by .*$/m, fileNamed(1)],
  [
    /^(?:make(?:\[\d+\])?|gmake): \*\*\* (?:No rule to make target|No targets specified and no makefile found).*$/m,
    always('target'),
  ],
  [/^(?:make(?:\[\d+\])?|gmake): (\S+): No such file or directory$/m, fileNamed(1)],
  [/^ninja: error: (?:loading|unknown target) .*$/m, always('target')],
  [
    /^(?:error|Error): (?:no such (?:command|subcommand)|Justfile does not contain recipe|Unknown command:?) .*$/m,
    always('target'),
  ],
  [/^(?:rake aborted!|Don['’]t know how to build task .*)$/m, always('target')],
  [/^Task .* not found in (?:root project|project) .*$/m, always('target')],
  // Node's options and entry files.
  [/^\S*node: bad option: .*$/m, always('usage')],
  [
    /^(?:error|ERROR|Error): (?:unrecognized arguments|unknown option|Unknown option|unknown flag|unexpected argument).*$/m,
    always('usage'),
  ],
  [/^TypeError \[ERR_UNKNOWN_FILE_EXTENSION\]: .*$/m, always('usage')],
  // Modules of JavaScript.
  [
    /^(?:Error(?: \[ERR_MODULE_NOT_FOUND\])?: )?Cannot find (?:package|module) '([^']+)' imported from (\S+)/m,
    (match, code, workspace) => module(match[1] ?? '', match[2], match[0], code, workspace),
  ],
  [
    /^(?:Error: )?Cannot find module '([^']+)'(?: from '([^']+)'|(?:\nRequire stack:\n- ([^\n]+)))/m,
    (match, code, workspace) =>
      module(match[1] ?? '', match[2] ?? match[3], match[0].split('\n')[0] ?? '', code, workspace),
  ],
  // Node without anything that required it: the entry file itself.
  [
    /^(?:Error: )?Cannot find module '([^']+)'$(?!\nRequire stack:\n- )/m,
    (match, code, workspace) => entryModule(match[1] ?? '', match[0], code, workspace),
  ],
  [
    /^(?:Error: )?Failed to (?:resolve import|load url) "?(\S+?)"?(?: \(resolved id: [^)]*\))?(?: from "([^"]+)"| in (\S+?)\.?(?: |$)|[. ])/m,
    (match, code, workspace) => module(match[1] ?? '', match[2] ?? match[3], match[0], code, workspace),
  ],
  [
    /^(?:.*: )?error TS2307: Cannot find module '([^']+)'.*$/m,
    (match, code, workspace) => module(match[1] ?? '', undefined, match[0], code, workspace),
  ],
  [
    /^Error: (?:Cannot find any-observable|Failed to load .*native|.*\.node: cannot open shared object).*$/m,
    always('library'),
  ],
  [
    /^(?:Error|browserType\.launch): (?:Executable doesn't exist at|Could not find (?:Chrome|Chromium|browser)|Failed to launch the browser process).*$/m,
    always('command'),
  ],
  [
    /^.*(?:No binary for \w+ browser|The Cypress App could not be found|No version of Cypress is installed).*$/m,
    always('command'),
  ],
  // Modules of Python.
  [
    /^\S*python[\d.]*: No module named (\S+?)(?:;.*)?$/m,
    (match, code) => (code.isOwnName(match[1] ?? '') ? own(match[0]) : outside('command', match[0])),
  ],
  [/^(?:ModuleNotFoundError|ImportError): No module named ['"]?([\w.]+)['"]?.*$/m, byName(1)],
  [
    /^\S*python[\d.]*: can't (?:open file|find '__main__' module in) ['"]?([^'"\n]+?)['"]?(?:: \[Errno 2\].*)?$/m,
    fileNamed(1),
  ],
  [/^ERROR: file or directory not found: (\S+)/m, fileNamed(1)],
  [/^ERROR: (?:not found: |usage: |could not find (?:tox|python)|.*interpreter.* not found).*$/m, always('usage')],
  [/^stat (\S+): directory not found$/m, fileNamed(1)],
  // Go, Rust, .NET, the JVM.
  [
    /^.*?(?:package (\S+) is not in (?:GOROOT|std)|no required module provides package (\S+?)[;:]|cannot find module providing package (\S+)).*$/m,
    (match, code) => goPackage(match, code),
  ],
  [
    /^go: (?:cannot find main module|go\.mod file not found|.*(?:dial tcp|connection refused|missing go\.sum entry|module lookup disabled)).*$/m,
    always('package'),
  ],
  [
    /^(?:go: warning: "[^"]*" matched no packages|no (?:Go files|packages to test)|matched no packages).*$/m,
    always('no_tests'),
  ],
  [
    /^error: (?:could not find `Cargo\.toml`|failed to (?:download|get|load source|parse manifest)|no matching package|no (?:test|bin|example) target named|can't find crate for).*$/m,
    always('package'),
  ],
  [/^.*error (?:NU1\d{3}|NETSDK1004|NETSDK1045|MSB1003|MSB1009|MSB4236)\b.*$/m, always('package')],
  [
    /^(?:The command could not be loaded, possibly because:|.*(?:A compatible .NET SDK was not found|You must install or update \.NET)).*$/m,
    always('command'),
  ],
  [
    /^(?:\[ERROR\] )?.*(?:Could not resolve dependencies|Non-resolvable (?:parent|import) POM|Could not transfer artifact|Plugin .* or one of its dependencies could not be resolved|Cannot access \S+ .* in offline mode).*$/m,
    always('package'),
  ],
  [/^(?:\[ERROR\] )?.*there is no POM in this directory.*$/m, always('target')],
  [/^> Could not resolve all (?:files|artifacts|dependencies).*$/m, always('package')],
  [/^Error: Could not find or load main class (\S+)/m, byName(1)],
  [/^Error: Unable to access jarfile (\S+)/m, fileNamed(1)],
  // Ruby, Perl, PHP, C.
  [
    /^(?:.*: )?cannot load such file -- (\S+)(?: \(LoadError\))?/m,
    (match, code, workspace) =>
      match[1]?.startsWith('/') ? ownFile(match[1], match[0], code, workspace) : byName(1)(match, code, workspace),
  ],
  [
    /^(?:Could not find (?:gem )?\S+.* in (?:locally installed gems|any of the sources|cached gems).*|Could not locate Gemfile.*)$/m,
    always('package'),
  ],
  [/^Can't locate (\S+?)\.pm in @INC\b.*$/m, byName(1)],
  [/^Can't open perl script "([^"]+)".*$/m, fileNamed(1)],
  [/^Cannot open file "([^"]+)"\.?$/m, fileNamed(1)],
  [/^.*error while loading shared libraries: (\S+):.*$/m, always('library')],
  [
    /^(?:\S+:\d+:\d+: )?fatal error: (\S+): No such file or directory$/m,
    (match, code) =>
      code.isOwnName(match[1] ?? '') ||
      code.holds(match[1] ?? '') ||
      code.willHold(match[1] ?? '') === true ||
      /^\.|\//.test(match[1] ?? '')
        ? own(match[0])
        : outside('library', match[0]),
  ],
  [/^.*cannot find -l\S+.*$/m, always('library')],
  // The network, which no check has.
  [
    /^.*(?:getaddrinfo (?:EAI_AGAIN|ENOTFOUND)|Temporary failure in name resolution|Could not resolve host|Network is unreachable|ENETUNREACH).*$/m,
    always('network'),
  ],
  // Space that the sandbox has no more of; not a test that speaks of it.
  [
    /^(?!.*(?:assert|expect)).*\b(?:No space left on device|There is not enough space on the disk)\b.*$/im,
    always('space'),
  ],
];

function entryModule(path: string, said: string, code: KnownCode, workspace: string): Missing {
  if (!path.startsWith('/') && !path.startsWith('.')) return module(path, undefined, said, code, workspace);
  return ownFile(path, said, code, workspace);
}

function goPackage(match: RegExpExecArray, code: KnownCode): Missing {
  const name = match[1] ?? match[2] ?? match[3] ?? '';
  const segments = name.split('/');
  // A package below the repository's own module path: its folder is named at the end.
  const folder = segments.findIndex((_, index) => {
    const rest = segments.slice(index).join('/');
    return code.holds(rest) || code.willHold(rest) === true;
  });
  return folder >= 0 || code.isOwnName(name) ? own(match[0]) : outside('package', match[0]);
}

/** Everything that the output says was missing, the weightiest first; at most a few of each form are looked at. */
export function findMissing(output: string, code: KnownCode, workspace: string): Missing[] {
  const found: Missing[] = [];
  for (const [pattern, read] of PATTERNS) {
    let looked = 0;
    for (const match of output.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))) {
      const missing = read(match as RegExpExecArray, code, workspace);
      if (missing !== undefined) found.push(missing);
      looked += 1;
      if (looked === 50) break;
    }
  }
  return found;
}
