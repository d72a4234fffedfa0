import { z } from 'zod';

/**
 * The forms in which a setting says where something is in Azure. All are addresses and none is a secret: the process's managed identity signs in, so an
 * address that carries a signature or a key is refused.
 */

export const isBareUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { search, hash, username, password } = new URL(text);
  return search === '' && hash === '' && username === '' && password === '';
};

/** A bare address without a path. */
export const isOrigin = (text: string): boolean => isBareUrl(text) && new URL(text).pathname === '/';

/** A blob container or a table: `https://<account>.<service>/<name>`. */
export const storageUrl = z
  .url({ protocol: /^https$/ })
  .refine(isBareUrl, 'an https address without a signature, a key or a query');

/** A key of a vault, without a version: one with a version would never follow a rotation. */
export const keyUrl = z
  .string()
  .regex(
    /^https:\/\/[A-Za-z0-9.-]+(:\d+)?\/keys\/[A-Za-z0-9-]{1,127}$/,
    'the address of a key, https://<vault>/keys/<name>, without a version',
  );

/** A host name alone, as of a Service Bus namespace or a SQL server. */
export const hostName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)+$/, 'a host name alone, without a protocol and without keys');

export const databaseName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, 'the name of a database: letters, digits, _ and -');

/** The client id of the user-assigned managed identity that the process runs under. */
export const identityClientId = z.guid('the client id (a GUID) of a managed identity');
