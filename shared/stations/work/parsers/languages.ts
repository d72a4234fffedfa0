/** Languages whose syntax can be judged: the names of the grammars in `inside/syntax-errors.ts`. */
export const LANGUAGES = ['javascript', 'typescript', 'tsx', 'html', 'css', 'python', 'json', 'yaml'] as const;
export type Language = (typeof LANGUAGES)[number];

const byExtension: Readonly<Record<string, Language>> = {
  js: 'javascript',
  jsx: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
  html: 'html',
  htm: 'html',
  css: 'css',
  py: 'python',
  pyi: 'python',
  json: 'json',
  yaml: 'yaml',
  yml: 'yaml',
};

/** The language of a file by the ending of its name, as people name them; undefined where there is no parser for it. */
export function languageOfPath(path: string): Language | undefined {
  const ending = /\.([A-Za-z]+)$/.exec(path)?.[1]?.toLowerCase();
  return ending === undefined || !Object.hasOwn(byExtension, ending) ? undefined : byExtension[ending];
}

/** Bytes of one file that is parsed. The YAML parser builds a document, which costs far more than a syntax tree. */
export const parsedBytes = (language: Language): number => (language === 'yaml' ? 256 * 1024 : 1024 * 1024);
