import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The files that `main` of the app's package.json names: a path, or a glob with braces (`src/{index.js,functions/*.ts}`).
 * Sorted, so that registration order is the same at every start. Throws when package.json is absent or nothing matches.
 */
export function findEntryFiles(appDirectory: string): string[] {
  const manifest = path.join(appDirectory, 'package.json');
  if (!existsSync(manifest)) {
    throw new Error(`No Functions app in ${appDirectory}: package.json is missing. Point --app at the app's folder.`);
  }
  const parsed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  const main = typeof parsed === 'object' && parsed !== null && 'main' in parsed ? parsed.main : undefined;
  if (typeof main !== 'string' || main === '') {
    throw new Error(`${manifest} has no "main": name the file, or a glob of files, that registers the functions.`);
  }
  const files = expandBraces(main).flatMap((pattern) =>
    globSync(pattern, { cwd: appDirectory, exclude: ['**/node_modules/**'] }),
  );
  if (files.length === 0) {
    throw new Error(
      `"main" of ${manifest} is "${main}", and no file matches it. Build the app, or correct the pattern.`,
    );
  }
  return [...new Set(files)].sort().map((file) => path.join(appDirectory, file));
}

/** `a/{b, c}.js` to `a/b.js` and `a/c.js`; spaces inside the braces are ignored, as the real worker does. */
function expandBraces(pattern: string): string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, before = '', alternatives = '', after = ''] = match;
  return alternatives.split(',').flatMap((alternative) => expandBraces(before + alternative.trim() + after));
}
