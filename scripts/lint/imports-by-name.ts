import type { Source } from './sources.ts';

/**
 * Names that look importable and fail at load under ESM, because the package is CommonJS and Node's lexer does not see them:
 * use `import type`, or the default import.
 */
const FAILING: Readonly<Record<string, readonly string[]>> = {
  '@azure/functions': [
    'HttpRequest',
    'HttpResponse',
    'InvocationContext',
    'PreInvocationContext',
    'PostInvocationContext',
    'AppStartContext',
    'AppTerminateContext',
    'arg',
  ],
  'durable-functions': ['DurableError', 'AggregatedError'],
};

export function checkImportsByName(files: readonly Source[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    for (const { specifier, typeOnly, names, line } of file.imports) {
      if (typeOnly) continue;
      for (const name of names)
        if (FAILING[specifier]?.includes(name))
          faults.push(
            `${file.path}:${line}: importing ${name} by name from ${specifier} fails at load; import its type, or use the default import`,
          );
    }
  }
  return faults;
}
