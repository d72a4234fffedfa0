import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { pathOf } from './route.ts';
import { ROUTES } from './routes.ts';
import { serve } from './serve.ts';
import { ANY_METHOD, unrouted } from './unrouted.ts';

/**
 * Registers every route of the table, and nothing else: a route without an entry, which says who may call it, can't be served; what is
 * below `/api` and in no entry is told so. Keys of the platform stay out of it (`anonymous`): tokens are checked in code.
 */
export function registerRoutes(options: { readonly localIdentity: boolean }): void {
  for (const route of ROUTES) {
    if (route.name.startsWith('identity-') && !options.localIdentity) continue;
    app.http(route.name, {
      authLevel: 'anonymous',
      methods: route.method === 'GET' ? ['GET', 'HEAD'] : [route.method],
      route: pathOf(route).slice(1),
      ...(route.commits === true ? { extraInputs: [df.input.durableClient()] } : {}),
      handler: (request, context) => serve(route, request, context),
    });
  }
  app.http('unrouted', {
    authLevel: 'anonymous',
    methods: [...ANY_METHOD],
    route: 'api/{*path}',
    handler: unrouted(ROUTES),
  });
}
