import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathOf, type Route } from '../../functions/control/http/route.ts';
import { ROUTES } from '../../functions/control/http/routes.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { code, document, filesBelow, root, section, tableRows } from './documents.ts';

const text = document('api.md');

function who({ access }: Route): string {
  if (access.kind === 'policy') return access.action;
  if (access.kind === 'worker') return access.roles.join(', ');
  return access.kind === 'self' ? 'any identity' : 'anyone';
}

describe('the routes', () => {
  const documented = tableRows(text)
    .filter((row) => /^(GET|POST|PUT)$/.test(row[0] ?? ''))
    .map(([method, at, by]) => `${method} ${code(at)} ${code(by)}`);

  it('are documented with who may call them, every one, and no other', () => {
    expect([...documented].sort()).toEqual(
      ROUTES.map((route) => `${route.method} ${pathOf(route)} ${who(route)}`).sort(),
    );
  });
});

describe('the examples', () => {
  const origin = 'http://127.0.0.1:7071';
  const calls = [...text.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, shell = '']) => shell.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => [...line.matchAll(/\bcurl -s "?((?:\$API|http:\/\/)[^\s"?]*)(.*)$/g)])
    .map(([, url = '', rest = '']) => ({
      method: /\s-X (\w+)/.exec(rest)?.[1] ?? (/\s(?:-d|--data-binary)\s/.test(rest) ? 'POST' : 'GET'),
      path: url.replace('$API', '/api/v1').replace(origin, ''),
    }));

  it('are found', () => {
    expect(calls.length).toBe(text.match(/\bcurl /g)?.length);
  });

  it.each(calls)('$method $path is a call of a route', ({ method, path: at }) => {
    const fits = (route: Route): boolean => {
      const pattern = pathOf(route).split('/');
      const parts = at.split('/');
      // A variable of the shell stands for a parameter, and for nothing else.
      return (
        route.method === method &&
        pattern.length === parts.length &&
        pattern.every((part, index) =>
          part.startsWith('{') ? /^(\$\w+|[a-z]+)$/.test(parts[index] ?? '') : part === parts[index],
        )
      );
    };
    expect(ROUTES.filter(fits).map((route) => route.name)).toHaveLength(1);
  });
});

describe('the problem codes', () => {
  const sources = ['shared', 'functions', 'cli']
    .flatMap((folder) => filesBelow(folder, '.ts'))
    .map((file) => readFileSync(path.join(root, file), 'utf8'));
  const documented = new Map(
    tableRows(section(text, '## Problem codes')).map(([name, status]) => [code(name), status ?? '']),
  );

  it('are documented, every one, and no other', () => {
    const used = new Set(
      sources.flatMap((source) => [...source.matchAll(/'(FACTORY(?:-[A-Z]+)+)'/g)].map((match) => match[1])),
    );
    expect([...documented.keys()].sort()).toEqual([...used].sort());
  });

  it('have the status that the code answers them with', () => {
    const answered = new Map<string, Set<string>>();
    for (const source of sources) {
      for (const [, status = '', name = ''] of source.matchAll(/new Refusal\(\s*(\d{3}),\s*'(FACTORY(?:-[A-Z]+)+)'/g))
        answered.set(name, (answered.get(name) ?? new Set()).add(status));
    }
    expect(answered.size).toBeGreaterThan(30);
    for (const [name, statuses] of answered) expect(documented.get(name), name).toBe([...statuses].sort().join(', '));
  });
});

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1_024,
  MiB: 1_048_576,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

describe('the limits', () => {
  const documented = tableRows(section(text, '## Limits')).map(([name, value = '']) => {
    const [figure = '', unit] = value.split(' ');
    return [code(name), Number(figure.replaceAll(',', '')) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN))];
  });

  it('are those in force, every one', () => {
    const inForce = Object.entries(LIMITS).flatMap(([group, limits]) =>
      Object.entries(limits).map(([name, value]) => [`${group}.${name}`, value]),
    );
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(inForce));
    expect(documented).toHaveLength(inForce.length);
  });
});
