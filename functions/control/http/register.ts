import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { pathOf, type Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { serve } from './serve.ts';
import { ANY_METHOD, unrouted } from './unrouted.ts';

/**
 * What is below `/api` and no route of the table. The name sorts behind all others: hosts map routes by the names of functions, and
 * the first match answers.
 */
const UNROUTED = { name: 'zz-unrouted', methods: [...ANY_METHOD], route: 'api/{*path}' };

const methodsOf = ({ method }: Route) => (method === 'GET' ? (['GET', 'HEAD'] as const) : [method]);
const templateOf = (route: Route): string => pathOf(route).slice(1);

/** Name, methods and route template of each HTTP function. */
export const HTTP_FUNCTIONS: readonly {
  readonly name: string;
  readonly methods: readonly string[];
  readonly route: string;
}[] = [...ROUTES.map((route) => ({ name: route.name, methods: methodsOf(route), route: templateOf(route) })), UNROUTED];

/**
 * Registers every route of the table, and nothing else: a route without an entry, which says who may call it, can't be served; what is
 * below `/api` and in no entry is told so. Keys of the platform stay out of it (`anonymous`): tokens are checked in code.
 */
export function registerRoutes(options: { readonly localIdentity: boolean }): void {
  for (const route of ROUTES) {
    if (route.name.startsWith('identity-') && !options.localIdentity) continue;
    app.http(route.name, {
      authLevel: 'anonymous',
      methods: [...methodsOf(route)],
      route: templateOf(route),
      ...(route.commits === true ? { extraInputs: [df.input.durableClient()] } : {}),
      handler: (request, context) => serve(route, request, context),
    });
  }
  app.http(UNROUTED.name, {
    authLevel: 'anonymous',
    methods: UNROUTED.methods,
    route: UNROUTED.route,
    handler: unrouted(ROUTES),
  });
}
