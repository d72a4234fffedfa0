import { posix } from 'node:path';
import type { CommandScope } from './command-scope.ts';
import { FAMILIES, type Family, languageOf } from './languages.ts';

/** Changed files of one language in one project, which nothing that ran is known to run. */
export type UncheckedCode = { readonly language: string; readonly folder: string; readonly files: number };

/** Read by tests, or another's. */
const NOT_OWN =
  /(?:^|\/)(?:fixtures?|__fixtures__|testdata|test[-_]data|__snapshots__|vendor|third[-_]?party|node_modules)\//i;

/**
 * Changed code of which no command that ran is known to run anything, by language and project. A command that does not say what it
 * runs may run all below its folder, and so is taken to; what is often compiled into another language's project may be tested
 * through it. Pure; linear in the paths.
 */
export function uncheckedCode(of: {
  readonly changed: readonly string[];
  /** The paths of the tree, which show where projects are. */
  readonly paths: readonly string[];
  readonly ran: readonly CommandScope[];
}): UncheckedCode[] {
  const projects = projectsOf(of.paths);
  const found = new Map<string, UncheckedCode>();
  for (const path of of.changed) {
    const language = languageOf(path);
    if (language === undefined || NOT_OWN.test(path)) continue;
    const project = projects.of(language.family, posix.dirname(path));
    if (of.ran.some((scope) => mayRun(scope, path, language.family, project, projects))) continue;
    const folder = project ?? (path.includes('/') ? (path.split('/')[0] ?? '') : '');
    const key = `${language.name}\0${folder}`;
    found.set(key, { language: language.name, folder, files: (found.get(key)?.files ?? 0) + 1 });
  }
  return [...found.values()];
}

function mayRun(
  { folder, family }: CommandScope,
  path: string,
  language: Family,
  project: string | undefined,
  projects: Projects,
): boolean {
  if (!isBelow(path, folder))
    return family === language && project !== undefined && projects.of(family, folder) === project;
  if (family === null) return true;
  if (family === language) {
    // `./...` never leaves its module, unless a workspace names others.
    const leaves = language === 'go' && project !== undefined && !projects.goWorkspace;
    return !leaves || projects.of('go', folder) === project;
  }
  return (
    FAMILIES[language].embedded === true && (project === undefined || !isBelow(project, folder) || project === folder)
  );
}

const isBelow = (path: string, folder: string): boolean =>
  folder === '' || path === folder || path.startsWith(`${folder}/`);

type Projects = {
  /** The nearest folder at or above a folder that holds a project of the family. */
  of(family: Family, folder: string): string | undefined;
  readonly goWorkspace: boolean;
};

function projectsOf(paths: readonly string[]): Projects {
  const folders = new Map<Family, Set<string>>();
  let goWorkspace = false;
  for (const path of paths) {
    const name = posix.basename(path);
    if (name === 'go.work') goWorkspace = true;
    for (const [family, { manifest }] of Object.entries(FAMILIES) as [Family, { manifest: RegExp }][]) {
      if (!manifest.test(name)) continue;
      const known = folders.get(family) ?? new Set();
      folders.set(family, known.add(folderOf(path)));
    }
  }
  return {
    goWorkspace,
    of: (family, folder) => {
      const known = folders.get(family);
      for (let at = folder === '.' ? '' : folder; known !== undefined; at = folderOf(at)) {
        if (known.has(at)) return at;
        if (at === '') break;
      }
      return undefined;
    },
  };
}

function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === '.' ? '' : folder;
}

/** Groups that are named, largest first. */
const NAMED = 8;

/** What was not run, and what was, in words: `2 Go files in go/, 1 Java file in java/; what ran is of Python in python/`. */
export function uncheckedInWords(groups: readonly UncheckedCode[], ran: readonly CommandScope[]): string {
  const sorted = groups.toSorted((a, b) => b.files - a.files || (a.folder < b.folder ? -1 : 1));
  const named = sorted
    .slice(0, NAMED)
    .map(
      ({ language, folder, files }) => `${files} ${language} ${files === 1 ? 'file' : 'files'} in ${placeOf(folder)}`,
    );
  const rest = sorted.length > NAMED ? [`and more in ${sorted.length - NAMED} other places`] : [];
  const kinds = [
    ...new Set(
      ran.map(
        ({ family, folder }) =>
          `${family === null ? 'not told by its command' : `of ${FAMILIES[family].name}`} in ${placeOf(folder)}`,
      ),
    ),
  ];
  return `${[...named, ...rest].join(', ')}; what ran is ${kinds.slice(0, NAMED).join(', ')}`;
}

const placeOf = (folder: string): string => (folder === '' ? 'the root' : `${folder}/`);
