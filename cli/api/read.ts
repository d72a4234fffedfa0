import { z } from 'zod';
import { CommandFailure } from '../failure.ts';
import type { ApiCall, PlaneApi } from './plane-api.ts';
import { pageResource } from './resources.ts';

/** Pages read of one list: more than anybody reads on a terminal. */
const PAGES = 50;

/** A resource in the shape the command line knows. */
export async function readResource<T extends z.ZodType>(
  api: PlaneApi,
  schema: T,
  path: string,
  call?: ApiCall,
): Promise<z.infer<T>> {
  return understood(schema, await api.call('GET', path, call), path);
}

/** Every item of a list, page after page. */
export async function readList<T extends z.ZodType>(
  api: PlaneApi,
  item: T,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<z.infer<T>[]> {
  const found: z.infer<T>[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const { items, next } = await readResource(api, pageResource(item), path, { query: { ...query, cursor } });
    found.push(...items);
    if (next === undefined) break;
    cursor = next;
  }
  return found;
}

/** An answer in its shape; a failure in words when the plane is of another make than this program. */
export function understood<T extends z.ZodType>(schema: T, value: unknown, path: string): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CommandFailure(
    `The plane's answer to ${path} is not understood: ${z.prettifyError(parsed.error)}. Is it of the same version as this program?`,
  );
}
