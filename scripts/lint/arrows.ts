import { type Source, target } from './sources.ts';

/**
 * Which way dependencies point: functions, cli, container → shared → shared/domain. For each place, what it may import beside
 * itself; the first matching prefix counts. `packages` narrows the npm packages where purity depends on it.
 */
type Rule = { readonly from: string; readonly may: readonly string[]; readonly packages?: readonly string[] };

const RULES: readonly Rule[] = [
  {
    from: 'shared/domain/',
    may: ['shared/domain/', 'shared/jobs/protocol.ts'],
    packages: ['zod', 'json-canonicalize', 'picomatch', 'semver', 'node:crypto'],
  },
  {
    from: 'shared/line/walk.ts',
    may: ['shared/domain/', 'shared/line/graph.ts', 'shared/line/recorded.ts'],
    packages: [],
  },
  { from: 'shared/line/graph.ts', may: ['shared/domain/'], packages: [] },
  { from: 'functions/control/orchestrators/', may: ['shared/domain/'], packages: ['durable-functions'] },
  { from: 'functions/station/', may: ['shared/', 'functions/worker/'] },
  { from: 'functions/verifier/', may: ['shared/', 'functions/worker/'] },
  { from: 'functions/effector/', may: ['shared/', 'functions/worker/'] },
  { from: 'functions/', may: ['functions/', 'shared/'] },
  { from: 'shared/', may: ['shared/'] },
  { from: 'local/functions-host/', may: ['local/functions-host/'] },
  { from: 'local/service-bus/', may: ['local/service-bus/'] },
  { from: 'container/', may: ['container/', 'shared/'] },
  { from: 'cli/', may: ['cli/', 'shared/', 'local/', 'examples/'] },
];

/** Only control and the CLI's offline commands know the database; workers speak HTTP. */
const WORKER_ROOTS = [
  'functions/station/',
  'functions/verifier/',
  'functions/effector/',
  'shared/jobs/worker/',
  'shared/jobs/client/',
  'shared/stations/',
  'shared/verify/',
  'shared/sandbox/',
];
const STORE = 'shared/store/';

export function checkArrows(files: readonly Source[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    const rule = RULES.find((candidate) => file.path.startsWith(candidate.from));
    if (rule === undefined) continue;
    for (const { specifier, line, typeOnly } of file.imports) {
      const to = target(file, specifier);
      if (to === undefined) {
        if (
          rule.packages !== undefined &&
          !typeOnly &&
          !rule.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))
        ) {
          faults.push(
            `${file.path}:${line}: imports the package ${specifier}; ${rule.from} may import ${rule.packages.join(', ') || 'no package'} only`,
          );
        }
        continue;
      }
      const own = rule.from.endsWith('/') && to.startsWith(rule.from);
      if (!own && !rule.may.some((prefix) => to.startsWith(prefix)))
        faults.push(`${file.path}:${line}: imports ${to}; ${rule.from} may import ${rule.may.join(', ')} only`);
      if (to.startsWith(STORE) && WORKER_ROOTS.some((root) => file.path.startsWith(root)))
        faults.push(`${file.path}:${line}: imports ${to}; a worker never touches the database`);
    }
  }
  return [...faults, ...cycles(files)];
}

/** Import cycles between files, types left out: each is reported once. */
function cycles(files: readonly Source[]): string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter((item) => !item.typeOnly).flatMap((item) => target(file, item.specifier) ?? []),
    ]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const faults: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = state.get(path);
    if (seen === 'done') return;
    if (seen === 'open') {
      faults.push(`import cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
      return;
    }
    state.set(path, 'open');
    for (const next of graph.get(path) ?? []) if (graph.has(next)) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path, []);
  return faults;
}
