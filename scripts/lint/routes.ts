import { HTTP_FUNCTIONS } from '../../functions/control/http/register.ts';
import { compileRoute } from '../../local/functions-host/http/route.ts';
import { shadowed } from '../../local/functions-host/http/route-order.ts';

type HttpFunction = { readonly name: string; readonly methods: readonly string[]; readonly route: string };

/** Control's HTTP functions, none of whose calls may be answered by another one: the Functions host maps them by name. */
export function checkRoutes(functions: readonly HttpFunction[] = HTTP_FUNCTIONS): string[] {
  const routed = functions.map(({ name, methods, route }) => ({
    name,
    methods: new Set(methods),
    route: compileRoute(route),
  }));
  return shadowed(routed).map(
    ({ name, by }) =>
      `functions/control/http: calls of "${name}" are answered by "${by}", which comes before it by name and matches them too`,
  );
}
