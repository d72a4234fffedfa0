/** What compilers, loaders and runners say when code is there and can't be loaded. A symbol that is not there yet is one. */
const LOAD_FAILURES: readonly RegExp[] = [
  // JavaScript and TypeScript.
  /^(?:Uncaught )?SyntaxError(?: \[\w+\])?: .*$/m,
  /^.*does not provide an export named .*$/m,
  /^(?:TypeError|Error) \[ERR_PACKAGE_(?:PATH_NOT_EXPORTED|IMPORT_NOT_DEFINED)\]: .*$/m,
  /^.*error TS\d+: .*$/m,
  /^(?:.*: )?(?:ERROR: )?Transform failed with \d+ errors?.*$/m,
  /^(?:Error: )?Failed to parse source\b.*$/m,
  // Python.
  /^(?:SyntaxError|IndentationError|TabError): .*$/m,
  /^ImportError: cannot import name .*$/m,
  // Go, Rust, .NET, the JVM, C.
  /^FAIL\s+\S+ \[(?:build|setup) failed\]$/m,
  /^\S+\.go:\d+:\d+: .*$/m,
  /^error\[E\d{4}\]: .*$/m,
  /^error: could not compile .*$/m,
  /^.*error (?:CS|FS|BC)\d{4}: .*$/m,
  /^.*COMPILATION ERROR.*$/m,
  /^.*Compilation failed; see the compiler.*$/m,
  /^\S+\.(?:c|cc|cpp|cxx|h|hpp):\d+:\d+: (?:fatal )?error: .*$/m,
  /^.*undefined reference to .*$/m,
  // Ruby, Perl, PHP.
  /^An error occurred while loading .*$/m,
  /^.*syntax error, unexpected .*$/m,
  /^PHP (?:Parse|Fatal) error:.*$/m,
  /^.*(?:syntax error at|BEGIN failed--compilation aborted).*$/m,
];

/** What runners say of a file of tests that could not be loaded, whatever the cause. */
const NOT_LOADED: readonly RegExp[] = [
  /^Test suite failed to run$/m,
  /^⎯+ Failed Suites \d+ ⎯+$/m,
  /^[=_ ]*ERROR collecting .*$/m,
  /^ImportError while (?:loading conftest|importing test module).*$/m,
];

/** The first line that says why the repository's own code could not be loaded. */
export const saysLoadFailure = (output: string): string | undefined => firstOf(LOAD_FAILURES, output);

/** How far behind the runner's word the error is looked for, in characters. */
const NEAR = 2_000;

/** What a runner says of a file of tests that could not be loaded, and the error that it shows next. */
export function saysNotLoaded(output: string): string | undefined {
  const said = firstOf(NOT_LOADED, output);
  if (said === undefined) return undefined;
  const [error] =
    /^(?:E +)?(?:[\w.]*(?:Error|Exception)\b.*: .*)$/m.exec(output.slice(output.indexOf(said)).slice(0, NEAR)) ?? [];
  const bare = said.replaceAll(/^[⎯=_ ]+|[⎯=_ ]+$/g, '');
  return (error === undefined ? bare : `${bare}: ${error.replace(/^E +/, '')}`).slice(0, 300);
}

const firstOf = (patterns: readonly RegExp[], output: string): string | undefined =>
  patterns
    .map((pattern) => pattern.exec(output)?.[0])
    .find((found) => found !== undefined)
    ?.trim()
    .slice(0, 300);
