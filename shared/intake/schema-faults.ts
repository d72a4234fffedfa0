import type { z } from 'zod';
import type { RefusalDetail } from '../domain/refusal.ts';
import { pointerTo } from './pointer.ts';

type Issue = z.core.$ZodIssue;

/** What a zod schema found wrong, as faults with JSON pointers and stable codes. */
export function schemaFaults(issues: readonly Issue[], base: readonly PropertyKey[] = []): RefusalDetail[] {
  return issues.flatMap((issue) => issueFaults(issue, [...base, ...issue.path]));
}

function issueFaults(issue: Issue, path: readonly PropertyKey[]): RefusalDetail[] {
  const pointer = pointerTo(path);
  const one = (code: string, message: string): RefusalDetail[] => [{ pointer, code, message }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, 20).map((key) => ({
        pointer: pointerTo([...path, key]),
        code: 'unknown_field',
        message: `There is no field ${JSON.stringify(key.slice(0, 100))} here. Remove it or correct its name.`,
      }));
    case 'invalid_type':
      return issue.input === undefined
        ? one('missing', `The field is missing. Give ${article(issue.expected)}.`)
        : one('wrong_type', `The value must be ${article(issue.expected)}.`);
    case 'too_small':
      return one('too_small', `${sentence(issue.message)} Give at least ${issue.minimum}.`);
    case 'too_big':
      return one('too_large', `${sentence(issue.message)} The limit is ${issue.maximum}.`);
    case 'invalid_value':
      return one(
        'unknown_value',
        `The value must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}.${adviceOf(issue)}`,
      );
    case 'invalid_format':
      return one(
        'wrong_format',
        issue.format === 'regex' && issue.message.startsWith('Invalid string')
          ? `The text does not have the form ${issue.pattern}.`
          : `${sentence(issue.message)} Correct it.`,
      );
    case 'invalid_union':
      return unionFaults(issue, path);
    case 'custom':
      return one(typeof issue.params?.['code'] === 'string' ? issue.params['code'] : 'invalid', issue.message);
    default:
      return one(issue.code, sentence(issue.message));
  }
}

/** What the schema itself says to do, beside zod's own words. */
const adviceOf = ({ message }: Issue): string => (/^Invalid (?:input|option)\b/.test(message) ? '' : ` ${message}`);

/**
 * Of a union only the alternative that was meant is worth telling: the one whose discriminator fits, else the one with the
 * fewest faults.
 */
function unionFaults(issue: Issue & { code: 'invalid_union' }, path: readonly PropertyKey[]): RefusalDetail[] {
  const meant = issue.errors.filter(
    (issues) => issues.length > 0 && !issues.some((inner) => inner.path.length === 1 && inner.path[0] === 'name'),
  );
  const [closest] = meant.toSorted((a, b) => a.length - b.length);
  if (closest === undefined)
    return [
      {
        pointer: pointerTo(path),
        code: 'no_alternative_fits',
        message:
          'The value has none of the forms that are possible here. Compare it with the template of its product line.',
      },
    ];
  return schemaFaults(closest, path);
}

const sentence = (text: string): string => (/[.!?]$/u.test(text) ? text : `${text}.`);
const article = (expected: string): string =>
  ({
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    array: 'a list',
    tuple: 'a list',
    object: 'an object',
    record: 'an object',
    boolean: 'true or false',
  })[expected] ?? expected;
