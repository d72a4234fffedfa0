import { Refusal } from '../domain/refusal.ts';

/** Why a path names nothing: an escape in it is none (RFC 3986 §2.1), or is no UTF-8. Undefined when it is whole. */
export function malformedPath(pathname: string): Refusal | undefined {
  try {
    decodeURIComponent(pathname);
    return undefined;
  } catch {
    return new Refusal(
      400,
      'FACTORY-PATH-INVALID',
      'The path has an escape that is none, or is no UTF-8. Write a percent sign itself as %25.',
    );
  }
}
