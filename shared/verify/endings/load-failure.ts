/** What compilers, loaders and runners say when code is there and can't be loaded. A symbol that is not there yet is one. */
const LOAD_FAILURES: readonly RegExp[] = [
  // JavaScript and TypeScript.
  /^(?:Uncaught )?SyntaxError(?: \[\w+\])?: .*$/m,
  /^.*does not provide an export named .*$/m,
  /^(?:TypeError|Error) \[ERR_PACKAGE_(?:PATH_NOT_EXPORTED|IMPORT_NOT_DEFINED)\]: .*$/m,
  /^.*error TS\d+: .*$/m,
  /^(?:.*: )?(?:ERROR: )?Transform failed with \d+ errors?.*$/m,
  /^Test suite failed to run$/m,
  // Python.
  /^(?:SyntaxError|IndentationError|TabError): .*$/m,
  /^ImportError: cannot import name .*$/m,
  /^(?:=+ )?ERROR collecting .*$/m,
  /^ImportError while (?:loading conftest|importing test module).*$/m,
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

/** The first line that says that the repository's own code could not be loaded. */
export function saysLoadFailure(output: string): string | undefined {
  return LOAD_FAILURES.map((pattern) => pattern.exec(output)?.[0])
    .find((found) => found !== undefined)
    ?.trim()
    .slice(0, 300);
}
