/** A part of a route template between two slashes, ranked for precedence. */
export interface Segment {
  /** 0 literal, 1 literal and parameter mixed, 2 constrained parameter, 3 parameter, 4 catch-all. */
  readonly rank: number;
  readonly pattern: string;
  readonly names: readonly string[];
  /** The segment as it is written. */
  readonly text: string;
  readonly omissible?: boolean;
}

/** A compiled route template: matches a path, gives its parameters. */
export interface Route {
  readonly template: string;
  readonly ranks: readonly number[];
  readonly segments: readonly Segment[];
  /** Percent-decoded parameters by name, or undefined when the path is another. A malformed escape stays as it is. */
  match(path: string): Record<string, string> | undefined;
}

/**
 * Compiles a route template of ASP.NET Core's form: `{name}`, `{name?}`, `{name=default}`, `{*rest}` and the constraints
 * int, long, bool, guid, alpha, decimal, double, float, min, max, range, length, minlength, maxlength, regex.
 * Throws on a constraint it does not know: a route that matches too much is worse than none.
 */
export function compileRoute(template: string): Route {
  const checks: Check[] = [];
  const defaults: Record<string, string> = {};
  const segments = template
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => compileSegment(segment, template, checks, defaults));
  const names = segments.flatMap((segment) => segment.names);
  const expression = new RegExp(`^${segments.map((segment) => segment.pattern).join('')}/?$`, 'i');
  return {
    template,
    segments,
    ranks: segments.map((segment) => segment.rank),
    match(path) {
      const found = expression.exec(path);
      if (found === null) return undefined;
      const parameters: Record<string, string> = { ...defaults };
      for (const [index, name] of names.entries()) {
        const value = found[index + 1];
        if (value !== undefined && value !== '') parameters[name] = decoded(value);
      }
      const holds = checks.every(({ name, test }) => parameters[name] === undefined || test(parameters[name]));
      return holds ? parameters : undefined;
    },
  };
}

/** As the web server of the real host decodes: an escaped slash, escapes that are none, and no UTF-8 are left for the app to see. */
function decoded(value: string): string {
  return value.replace(/(?:%(?!2f)[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

interface Check {
  readonly name: string;
  readonly test: (value: string) => boolean;
}

function compileSegment(segment: string, template: string, checks: Check[], defaults: Record<string, string>): Segment {
  const parts = segment.match(/\{(?:[^{}]|\{[^{}]*\})*\}|[^{}]+/g) ?? [];
  const only = parts.length === 1;
  const names: string[] = [];
  let pattern = '';
  let rank = 0;
  for (const part of parts) {
    if (!part.startsWith('{')) {
      pattern += encodeURI(part).replace(/[\\^$.*+?()[\]|/-]/g, '\\$&');
      continue;
    }
    const match = /^\{(\*{0,2})([^:=?{}]+)((?::[^:()=?]+(?:\(.*?\))?)*)(?:=([^?]*))?(\?)?\}$/.exec(part);
    if (match === null) throw new Error(`The route "${template}" has a parameter that can't be read: ${part}`);
    const [, star = '', name = '', constraints = '', fallback, optional] = match;
    for (const constraint of constraints.match(/:[^:()]+(?:\(.*?\))?/g) ?? []) {
      checks.push({ name, test: constraintTest(constraint.slice(1), template) });
    }
    names.push(name);
    if (fallback !== undefined) defaults[name] = fallback;
    if (star !== '') {
      rank = 4;
      pattern += '(.*)';
    } else {
      rank = only ? (constraints === '' ? 3 : 2) : 1;
      const omissible = only && (optional !== undefined || fallback !== undefined);
      if (omissible) return { rank, names, text: segment, omissible, pattern: `(?:/([^/]+))?` };
      pattern += '([^/]+?)';
    }
  }
  return { rank, names, text: segment, pattern: rank === 4 && only ? `(?:/${pattern})?` : `/${pattern}` };
}

const guid = /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;

function constraintTest(constraint: string, template: string): (value: string) => boolean {
  const [, kind = '', argument = ''] = /^(\w+)(?:\((.*)\))?$/.exec(constraint) ?? [];
  const [first = Number.NaN, second = Number.NaN] = argument.split(',').map(Number);
  switch (kind.toLowerCase()) {
    case 'int':
    case 'long':
      return (value) => /^-?\d+$/.test(value);
    case 'bool':
      return (value) => /^(true|false)$/i.test(value);
    case 'guid':
      return (value) => guid.test(value);
    case 'alpha':
      return (value) => /^[a-z]+$/i.test(value);
    case 'decimal':
    case 'double':
    case 'float':
      return (value) => value.trim() !== '' && Number.isFinite(Number(value));
    case 'min':
      return (value) => /^-?\d+$/.test(value) && Number(value) >= first;
    case 'max':
      return (value) => /^-?\d+$/.test(value) && Number(value) <= first;
    case 'range':
      return (value) => /^-?\d+$/.test(value) && Number(value) >= first && Number(value) <= second;
    case 'length':
      return (value) => value.length >= first && value.length <= (Number.isNaN(second) ? first : second);
    case 'minlength':
      return (value) => value.length >= first;
    case 'maxlength':
      return (value) => value.length <= first;
    case 'regex': {
      const expression = new RegExp(argument, 'i');
      return (value) => expression.test(value);
    }
    default:
      throw new Error(`The route "${template}" uses the constraint "${constraint}", which this host does not know.`);
  }
}
