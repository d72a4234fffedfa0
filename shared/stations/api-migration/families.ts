import type { RuleLanguage } from '../../domain/packet/line-input.ts';

/** A grammar of ast-grep, by its own name. */
export type Grammar = RuleLanguage;

/**
 * Which files people mean by the language of a rule. `read` are searched and rewritten, by the first of the grammars that takes the
 * file's text: whoever says TypeScript means the parts with JSX too, and a JavaScript file may hold Flow, which the grammar of TSX
 * mostly takes. `inside` can hold such code within another language; it is not searched, so that there "no match" proves nothing.
 */
type Family = {
  readonly read: readonly { readonly files: RegExp; readonly grammars: readonly Grammar[] }[];
  readonly inside: RegExp;
};

const components = /\.(?:vue|svelte|astro)$/i;
const scriptsInside = /\.(?:vue|svelte|astro|mdx|html?)$/i;

const families: Readonly<Record<RuleLanguage, Family>> = {
  javascript: { read: [{ files: /\.[cm]?jsx?$/i, grammars: ['javascript', 'tsx'] }], inside: scriptsInside },
  typescript: {
    read: [
      { files: /\.[cm]?ts$/i, grammars: ['typescript'] },
      { files: /\.tsx$/i, grammars: ['tsx'] },
    ],
    inside: scriptsInside,
  },
  tsx: { read: [{ files: /\.tsx$/i, grammars: ['tsx'] }], inside: scriptsInside },
  html: { read: [{ files: /\.html?$/i, grammars: ['html'] }], inside: components },
  css: {
    read: [{ files: /\.css$/i, grammars: ['css'] }],
    inside: /\.(?:vue|svelte|astro|html?|scss|sass|less|pcss|postcss)$/i,
  },
};

/** How a file is searched for a rule's language: by these grammars, by none as it only holds such code inside, or not at all. */
export function grammarsFor(language: RuleLanguage, path: string): readonly Grammar[] | undefined {
  const { read, inside } = families[language];
  return read.find(({ files }) => files.test(path))?.grammars ?? (inside.test(path) ? [] : undefined);
}

/** The ending of a file's name, as it is told to people. */
export const endingOf = (path: string): string => /\.[^./]+$/.exec(path)?.[0].toLowerCase() ?? path;
