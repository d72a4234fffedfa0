import { parse } from 'smol-toml';
import { z } from 'zod';
import type { PythonSetup } from '../../domain/application/check-environment.ts';
import { normalName, type Requirements, requirementOf } from './requirement.ts';

const groupEntry = z.union([z.string(), z.looseObject({ 'include-group': z.string() })]);
const pyproject = z.looseObject({
  project: z
    .looseObject({
      name: z.string().default(''),
      dependencies: z.array(z.string()).default([]),
      'optional-dependencies': z.record(z.string(), z.array(z.string())).default({}),
    })
    .optional(),
  'dependency-groups': z.record(z.string(), z.array(groupEntry)).default({}),
});
type Pyproject = z.infer<typeof pyproject>;

/** What `pyproject.toml` declares (PEP 621) with the wanted extras and dependency groups (PEP 735); undefined where it can't be read. */
export function readProjectDependencies(
  text: string,
  wanted: NonNullable<PythonSetup['project']>,
): Requirements | undefined {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return undefined;
  }
  const read = pyproject.safeParse(value);
  if (!read.success) return undefined;
  const { project } = read.data;
  const left: string[] = [];
  const texts = [...(project?.dependencies ?? [])];
  for (const extra of wanted.extras ?? []) texts.push(...extraOf(read.data, extra, left, 0));
  for (const group of wanted.groups ?? []) texts.push(...groupOf(read.data, group, left, 0));
  if (project === undefined && texts.length === 0)
    left.push('pyproject.toml has no [project] table; what other tools keep in tables of their own is not read');
  const own = normalName(project?.name ?? '');
  const found = texts.flatMap((each) => {
    const requirement = requirementOf(each);
    if (requirement === undefined)
      left.push(
        `pyproject.toml: ${each.replace(/\/\/[^/@\s]*@/, '//').slice(0, 200)} comes from no index, and is not fetched`,
      );
    return requirement === undefined || requirement.name === own ? [] : [requirement];
  });
  return { wanted: found, constraints: [], left };
}

const deepest = 10;

/** An extra may name others of its own project: `name[other]`. */
function extraOf({ project }: Pyproject, extra: string, left: string[], depth: number): string[] {
  const [, found] =
    Object.entries(project?.['optional-dependencies'] ?? {}).find(([name]) => normalName(name) === normalName(extra)) ??
    [];
  if (found === undefined || depth > deepest) {
    left.push(`pyproject.toml has no extra ${extra}`);
    return [];
  }
  return found.flatMap((each) => {
    const [, name = '', others = ''] = /^([A-Za-z0-9._-]+)\s*\[([^\]]+)\]\s*$/.exec(each.trim()) ?? [];
    if (name === '' || normalName(name) !== normalName(project?.name ?? '')) return [each];
    return others
      .split(',')
      .flatMap((other) => extraOf({ project, 'dependency-groups': {} }, other.trim(), left, depth + 1));
  });
}

function groupOf(all: Pyproject, group: string, left: string[], depth: number): string[] {
  const [, found] =
    Object.entries(all['dependency-groups']).find(([name]) => normalName(name) === normalName(group)) ?? [];
  if (found === undefined || depth > deepest) {
    left.push(`pyproject.toml has no dependency group ${group}`);
    return [];
  }
  return found.flatMap((each) =>
    typeof each === 'string' ? [each] : groupOf(all, each['include-group'], left, depth + 1),
  );
}
