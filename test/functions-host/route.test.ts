import { describe, expect, it } from 'vitest';
import { compileRoute } from '../../local/functions-host/http/route.ts';
import { compareRouted, shadowed } from '../../local/functions-host/http/route-order.ts';
import { parseTimeSpan } from '../../local/functions-host/settings/time-span.ts';

describe('a route template', () => {
  it.each([
    ['/plain/path', '/plain/path', {}],
    ['plain', '/PLAIN/', {}],
    ['a/{b}', '/a/x%2Fy%20z', { b: 'x%2Fy z' }],
    ['a/{b}', '/a', undefined],
    ['a/{b}', '/a/b/c', undefined],
    ['a/{b?}', '/a', {}],
    ['a/{b=c}', '/a', { b: 'c' }],
    ['a/{b=c}', '/a/d', { b: 'd' }],
    ['{*all}', '/', {}],
    ['{*all}', '/a/b', { all: 'a/b' }],
    ['files/{name}.{ext}', '/files/a.b.txt', { name: 'a', ext: 'b.txt' }],
    ['.well-known/{file}', '/.well-known/x', { file: 'x' }],
    ['.well-known/{file}', '/xwell-known/x', undefined],
    ['n/{id:int}', '/n/-12', { id: '-12' }],
    ['n/{id:int}', '/n/twelve', undefined],
    ['n/{id:int:min(5)}', '/n/4', undefined],
    ['n/{id:int:min(5)}', '/n/5', { id: '5' }],
    ['n/{id:range(1,3)?}', '/n', {}],
    ['n/{kind:alpha}/{id:int?}', '/n/a', { kind: 'a' }],
    ['n/{kind:alpha}/{id:int?}', '/n/a/5', { kind: 'a', id: '5' }],
    ['n/{kind:alpha}/{id:int?}', '/n/a/b', undefined],
    ['n/{id:int=7}', '/n', { id: '7' }],
    ['n/{id:range(1,3)}', '/n/4', undefined],
    ['g/{id:guid}', '/g/3f2504e0-4f89-11d3-9a0c-0305e82c3301', { id: '3f2504e0-4f89-11d3-9a0c-0305e82c3301' }],
    ['g/{id:guid}', '/g/other', undefined],
    ['w/{id:alpha:length(3)}', '/w/abc', { id: 'abc' }],
    ['w/{id:alpha:length(3)}', '/w/abcd', undefined],
    ['r/{id:regex(^req_[a-z]+$)}', '/r/req_abc', { id: 'req_abc' }],
    ['r/{id:regex(^req_[a-z]+$)}', '/r/job_abc', undefined],
  ])('%s on %s gives %j', (template, path, expected) => {
    expect(compileRoute(template).match(path)).toEqual(expected);
  });

  it('is refused when it uses a constraint that is not known', () => {
    expect(() => compileRoute('a/{b:prime}')).toThrow('constraint "prime"');
  });
});

describe('the order of functions', () => {
  const routed = (routes: Record<string, string>) =>
    Object.entries(routes).map(([name, text]) => {
      const [methods = '', template = ''] = text.split(' ');
      return { name, route: compileRoute(template), methods: new Set(methods.split(',')) };
    });

  it('is that of their names, letters in any case', () => {
    const names = routed({ b: 'GET b', 'B-2': 'GET c', A: 'GET d', a0: 'GET e', 'a-0': 'GET f' }).sort(compareRouted);
    expect(names.map(({ name }) => name)).toEqual(['A', 'a-0', 'a0', 'b', 'B-2']);
  });

  it.each([
    [{ every: 'GET,PUT api/{*path}', uploads: 'PUT api/uploads/{id}' }, ['uploads by every']],
    [{ uploads: 'PUT api/uploads/{id}', 'zz-every': 'GET,PUT api/{*path}' }, []],
    [{ a: 'GET r/{id}', b: 'GET r/mine' }, ['b by a']],
    [{ a: 'GET r/mine', b: 'GET r/{id}' }, []],
    [{ a: 'GET r/{id}', b: 'POST r/mine' }, []],
    [{ a: 'GET r/{id}', b: 'GET r/{name}' }, ['b by a']],
    [{ a: 'GET r/{id?}', b: 'GET r' }, ['b by a']],
    [{ a: 'GET r/{id}/x', b: 'GET r/{id:int}/y' }, []],
    [{ a: 'GET r/{id}/x', b: 'GET r/{id:int}/x' }, ['b by a']],
    [{ a: 'GET files/{name}.{ext}', b: 'GET files/robots.txt', c: 'GET files/robots' }, ['b by a']],
    [{ a: 'GET R/{id}', b: 'GET r/Mine' }, ['b by a']],
  ])('of %j hides %j', (routes, expected) => {
    expect(shadowed(routed(routes as Record<string, string>)).map(({ name, by }) => `${name} by ${by}`)).toEqual(
      expected,
    );
  });
});

describe('a time span', () => {
  it.each([
    ['00:30:00', 1_800_000],
    ['1.02:03:04.5', 93_784_500],
    ['00:00:00', 0],
    ['half an hour', undefined],
    ['00:61:00', undefined],
  ])('%s is %s ms', (text, expected) => {
    expect(parseTimeSpan(text)).toBe(expected);
  });
});
