import { describe, expect, it } from 'vitest';
import { compareRoutes, compileRoute } from '../../local/functions-host/http/route.ts';
import { parseTimeSpan } from '../../local/functions-host/settings/time-span.ts';

describe('a route template', () => {
  it.each([
    ['/plain/path', '/plain/path', {}],
    ['plain', '/PLAIN/', {}],
    ['a/{b}', '/a/x%2Fy', { b: 'x/y' }],
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

  it('is ranked by how specific it is, segment by segment', () => {
    const templates = ['{*all}', 'a/{b}', 'a/{b:int}', 'a/b', 'a/x-{b}', '{a}/b', 'a'];
    const sorted = templates
      .map(compileRoute)
      .sort(compareRoutes)
      .map((route) => route.template);
    expect(sorted).toEqual(['a', 'a/b', 'a/x-{b}', 'a/{b:int}', 'a/{b}', '{a}/b', '{*all}']);
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
