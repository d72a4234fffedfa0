import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { notFound, Refusal } from '../../../shared/domain/refusal.ts';
import { malformedPath } from '../../../shared/http/path.ts';
import { problemOf } from '../../../shared/http/problem.ts';
import { report } from '../report.ts';
import { pathOf, type Route } from './route.ts';

/** Every method that a host hands over; TRACE and CONNECT never reach it. */
export const ANY_METHOD = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * Answers what no route of the table takes, so that nothing below `/api` is without a problem document: 404 `FACTORY-NOT-FOUND` a path
 * that is none, 405 `FACTORY-METHOD-NOT-ALLOWED` with `Allow` (RFC 9110 §15.5.6) a method that its path does not take, and 204 with
 * `Allow` to OPTIONS. A path that is no UTF-8 is 400, as it is on a route. It says nothing that the public description does not.
 */
export function unrouted(routes: readonly Route[]): (request: HttpRequest) => Promise<HttpResponseInit> {
  const known = routes.map((route) => ({ pattern: patternOf(route), method: route.method }));
  return async (request) => {
    const { pathname } = new URL(request.url);
    const methods = new Set<string>();
    for (const { pattern, method } of known) if (pattern.test(pathname)) methods.add(method);
    if (methods.has('GET')) methods.add('HEAD');
    const allow = [...methods, 'OPTIONS'].sort().join(', ');
    if (methods.size > 0 && request.method === 'OPTIONS') return { status: 204, headers: { allow } };
    const malformed = malformedPath(pathname);
    const refusal =
      malformed ?? (methods.size === 0 ? notFound(`The path ${pathname.slice(0, 200)}`) : wrongMethod(request, allow));
    const { status, headers, problem } = problemOf(refusal, pathname, report);
    const body = request.method === 'HEAD' ? {} : { body: JSON.stringify(problem) };
    return { status, headers: status === 405 ? { ...headers, allow } : headers, ...body };
  };
}

const wrongMethod = (request: HttpRequest, allow: string): Refusal =>
  new Refusal(
    405,
    'FACTORY-METHOD-NOT-ALLOWED',
    `${request.method} is not taken here. Allowed: ${allow}; see /api/v1/openapi.json.`,
  );

/** Paths are compared as hosts compare them: letters in any case, a slash at the end or not. */
const patternOf = (route: Route): RegExp =>
  new RegExp(
    `^${pathOf(route)
      .replaceAll('.', '\\.')
      .replace(/\{[a-z]+\}/g, '[^/]+')}/?$`,
    'i',
  );
