import { z } from 'zod';

/** A file that an index names for a project. */
export type IndexFile = {
  readonly name: string;
  readonly url: string;
  readonly sha256: string | undefined;
  readonly requiresPython: string | undefined;
  readonly yanked: boolean;
};

const mostFiles = 20_000;

const jsonPage = z.looseObject({
  files: z.array(
    z.looseObject({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()).default({}),
      'requires-python': z.string().nullish(),
      yanked: z.union([z.boolean(), z.string()]).default(false),
    }),
  ),
});

/** Media types of a project's page: JSON (PEP 691) before HTML (PEP 503). */
export const PAGE_TYPES =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

/** The files of a project's page; undefined for one that is no such page. */
export function readIndexPage(bytes: Uint8Array, mediaType: string, address: string): IndexFile[] | undefined {
  const text = new TextDecoder().decode(bytes);
  const files = /\bjson\b/.test(mediaType) ? ofJson(text) : ofHtml(text);
  return files?.slice(0, mostFiles).flatMap((file) => {
    const url = URL.canParse(file.url, address) ? new URL(file.url, address) : undefined;
    return url === undefined || !/^[A-Za-z0-9][A-Za-z0-9._!+-]*$/.test(file.name)
      ? []
      : [{ ...file, url: url.href.split('#')[0] ?? '' }];
  });
}

function ofJson(text: string): IndexFile[] | undefined {
  try {
    const page = jsonPage.safeParse(JSON.parse(text));
    return page.data?.files.map(({ filename, url, hashes, yanked, ...rest }) => ({
      name: filename,
      url,
      sha256: digestOf(hashes['sha256']),
      requiresPython: rest['requires-python'] ?? undefined,
      yanked: yanked !== false,
    }));
  } catch {
    return undefined;
  }
}

function ofHtml(text: string): IndexFile[] {
  return [...text.matchAll(/<a\s+(?<attributes>[^>]*)>(?<name>[^<]*)<\/a>/gi)].flatMap(({ groups }) => {
    const attributes = groups?.['attributes'] ?? '';
    const href = attribute(attributes, 'href');
    if (href === undefined) return [];
    return [
      {
        name: unescaped(groups?.['name'] ?? '').trim(),
        url: href,
        sha256: digestOf(/#(?:.*&)?sha256=([0-9a-f]{64})/.exec(href)?.[1]),
        requiresPython: attribute(attributes, 'data-requires-python'),
        yanked: /\bdata-yanked\b/.test(attributes),
      },
    ];
  });
}

function attribute(attributes: string, name: string): string | undefined {
  const { groups } = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"(?<a>[^"]*)"|'(?<b>[^']*)')`, 'i').exec(attributes) ?? {};
  const value = groups?.['a'] ?? groups?.['b'];
  return value === undefined ? undefined : unescaped(value);
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&#x27;': "'",
  '&amp;': '&',
};
const unescaped = (text: string): string =>
  text.replaceAll(/&(?:lt|gt|quot|amp|#39|#x27);/g, (entity) => entities[entity] ?? entity);
const escaped = (text: string): string =>
  text.replaceAll(/[<>"&]/g, (each) => ({ '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each] ?? '&amp;');

const digestOf = (text: string | undefined): string | undefined =>
  /^[0-9a-f]{64}$/.test(text ?? '') ? text : undefined;

/** A page (PEP 503) of the wheels alone, each at the address that is given for it. */
export function wheelsPage(files: readonly IndexFile[], addressOf: (file: IndexFile) => string): string {
  const links = files.map((file) => {
    const digest = file.sha256 === undefined ? '' : `#sha256=${file.sha256}`;
    const python = file.requiresPython === undefined ? '' : ` data-requires-python="${escaped(file.requiresPython)}"`;
    return `<a href="${escaped(addressOf(file))}${digest}"${python}${file.yanked ? ' data-yanked=""' : ''}>${escaped(file.name)}</a>`;
  });
  return `<!DOCTYPE html><html><body>\n${links.join('<br>\n')}\n</body></html>\n`;
}
