import type { z } from 'zod';
import { type ProductLine, productLine } from '../domain/blueprint/schema.ts';
import { validateBlueprint } from '../domain/blueprint/validate.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import { Refusal } from '../domain/refusal.ts';
import { engineOf, type PolicyEngine } from '../gates/policy/engine.ts';
import { readRules } from '../gates/policy/rules.ts';
import { schemaFaults } from '../intake/schema-faults.ts';
import { readYaml } from '../intake/yaml.ts';
import type { DefinitionsBundle } from './bundle.ts';
import { lockoutFaults } from './lockout.ts';
import { MANIFEST, type Manifest, manifestSchema } from './manifest.ts';

/** A fault of a bundle: the file, where in it (JSON pointer), a stable code, what to do. */
export type BundleFault = {
  readonly file: string;
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
};

/** A valid bundle, understood. */
export type Definitions = {
  readonly digest: Digest;
  readonly name: string;
  readonly version: string;
  /** Product lines by name, each with the digest of its canonical JSON: what is pinned into a request. */
  readonly lines: ReadonlyMap<string, { readonly digest: Digest; readonly line: ProductLine }>;
  readonly policy: PolicyEngine;
};

const YAML_LIMITS = { maxDepth: 12, maxTokens: 200_000 } as const;
const MAXIMUM_DETAILS = 100;

/** Everything that is wrong with a bundle; nothing when it can be installed. Throws nothing for the bundle's sake. */
export function validateBundle(bundle: DefinitionsBundle): readonly BundleFault[] {
  return examine(bundle).faults;
}

/** A bundle's lines and policy. Refuses with 422 `FACTORY-DEFINITIONS-INVALID`, one detail a fault. */
export function readDefinitions(bundle: DefinitionsBundle): Definitions {
  const { definitions, faults } = examine(bundle);
  if (definitions !== undefined) return definitions;
  const [first] = faults;
  const details = faults.slice(0, MAXIMUM_DETAILS).map(({ file, pointer, code, message }) => ({
    pointer: `/${file.replaceAll('~', '~0').replaceAll('/', '~1')}${pointer}`,
    code,
    message,
  }));
  throw new Refusal(
    422,
    'FACTORY-DEFINITIONS-INVALID',
    `The definitions can't be installed: ${first?.file}: ${first?.message}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''} Nothing was changed.`,
    { details },
  );
}

/** A bundle's lines and policy, with its faults in place of a refusal; the definitions are undefined when there are any. */
export function examine(bundle: DefinitionsBundle): { definitions: Definitions | undefined; faults: BundleFault[] } {
  const faults: BundleFault[] = [];
  const manifest = readFile(bundle, MANIFEST, manifestSchema, faults);
  if (manifest === undefined) return { definitions: undefined, faults };
  faults.push(...fileFaults(bundle, manifest));
  const lines = readLines(bundle, manifest, faults);
  const policies = Object.fromEntries(manifest.policies.flatMap((path) => [[path, bundle.files.get(path) ?? '']]));
  const read = readRules(policies);
  faults.push(...read.faults.map((fault) => ({ ...fault, pointer: '' })));
  if (faults.length > 0) return { definitions: undefined, faults };
  const policy = engineOf(read.rules);
  faults.push(...lockoutFaults(policy).map((fault) => ({ ...fault, file: MANIFEST, pointer: '/policies' })));
  if (faults.length > 0) return { definitions: undefined, faults };
  return {
    definitions: { digest: bundle.digest, name: manifest.name, version: manifest.version, lines, policy },
    faults,
  };
}

function readLines(
  bundle: DefinitionsBundle,
  manifest: Manifest,
  faults: BundleFault[],
): Map<string, { digest: Digest; line: ProductLine }> {
  const lines = new Map<string, { digest: Digest; line: ProductLine }>();
  for (const file of manifest.lines) {
    if (!bundle.files.has(file)) continue;
    const line = readFile(bundle, file, productLine, faults);
    if (line === undefined) continue;
    faults.push(...validateBlueprint(line).map((fault) => ({ file, ...fault })));
    if (lines.has(line.line))
      faults.push({
        file,
        pointer: '/line',
        code: 'duplicate_line',
        message: `The product line "${line.line}" is defined twice. Choose another name or remove one.`,
      });
    lines.set(line.line, { digest: digestOfValue(line), line });
  }
  return lines;
}

/** A file that is named and missing, named twice, or there without being named: people would believe it holds. */
function fileFaults(bundle: DefinitionsBundle, manifest: Manifest): BundleFault[] {
  const named = [...manifest.lines, ...manifest.policies];
  const faults: BundleFault[] = [];
  for (const [index, path] of named.entries()) {
    if (!bundle.files.has(path))
      faults.push({
        file: MANIFEST,
        pointer: '',
        code: 'missing_file',
        message: `The manifest names ${path}, which is not there. Add it or take its name out.`,
      });
    if (named.indexOf(path) !== index)
      faults.push({
        file: MANIFEST,
        pointer: '',
        code: 'duplicate_file',
        message: `The manifest names ${path} twice. Name it once.`,
      });
  }
  for (const path of bundle.files.keys()) {
    if (path !== MANIFEST && !named.includes(path))
      faults.push({
        file: path,
        pointer: '',
        code: 'unnamed_file',
        message: 'The manifest does not name this file, so nothing in it would hold. Name it or remove it.',
      });
  }
  return faults;
}

function readFile<T extends z.ZodType>(
  bundle: DefinitionsBundle,
  file: string,
  schema: T,
  faults: BundleFault[],
): z.infer<T> | undefined {
  const text = bundle.files.get(file);
  if (text === undefined) {
    faults.push({ file, pointer: '', code: 'missing_file', message: `The bundle has no ${file}. Add it.` });
    return undefined;
  }
  const document = readYaml(Buffer.from(text), YAML_LIMITS);
  if ('fault' in document) {
    faults.push({ file, ...document.fault });
    return undefined;
  }
  const parsed = schema.safeParse(document.value, { reportInput: true });
  if (parsed.success) return parsed.data;
  faults.push(...schemaFaults(parsed.error.issues).map((fault) => ({ file, ...fault })));
  return undefined;
}
