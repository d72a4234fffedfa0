/** Azure's limit for the body of an HTTP request, in bytes. */
const azureLimit = 104_857_600;

/** Bytes an HTTP function's request may bring: FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, as the real host reads it, or 100 MB. */
export function readBodyLimit(environment: NodeJS.ProcessEnv): number {
  const text = environment['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'];
  if (text === undefined || text === '') return azureLimit;
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit >= 0) return limit;
  throw new Error(`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is "${text}"; write a number of bytes.`);
}
