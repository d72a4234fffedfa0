import { randomBytes } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import { z } from 'zod';
import type { KeyWrapper } from '../artifacts/keys/key-wrapper.ts';
import { answeredStatus, asServiceRefusal } from './azure-fault.ts';

/** Beside the artifacts, under a name that no object has. */
const NAME = 'lease-secret.json';
/** What the wrapping binds: the wrapped secret opens as nothing else. */
const CONTEXT = 'lease-secret';
const SECRET_BYTES = 32;
const JSON_CONTENT = { blobHTTPHeaders: { blobContentType: 'application/json' } };

const fileSchema = z.strictObject({
  format: z.literal('factory-lease-secret/v1'),
  version: z.string().min(1).max(100),
  wrapped: z.base64().max(4_096),
});

/**
 * The secret that lease tokens are made under, one for all instances of a plane: a blob that holds it wrapped, made by whichever instance starts first. It is in no
 * setting and no template, and who reads the container without the wrapping key has nothing. To replace it, delete the blob and start every instance again:
 * each lease becomes stale, and nothing else is harmed.
 */
export async function openWrappedLeaseSecret(container: ContainerClient, keys: KeyWrapper): Promise<Uint8Array> {
  const blob = container.getBlockBlobClient(NAME);
  const read = async (): Promise<string | undefined> => {
    try {
      return (await blob.downloadToBuffer()).toString('utf8');
    } catch (error) {
      if (answeredStatus(error) === 404) return undefined;
      throw asServiceRefusal(error, 'The lease secret');
    }
  };
  const make = async (): Promise<void> => {
    const { wrapped, version } = await keys.wrap(randomBytes(SECRET_BYTES), CONTEXT);
    const text = JSON.stringify({
      format: 'factory-lease-secret/v1',
      version,
      wrapped: Buffer.from(wrapped).toString('base64'),
    });
    await blob
      .upload(text, Buffer.byteLength(text), { ...JSON_CONTENT, conditions: { ifNoneMatch: '*' } })
      .catch((error: unknown) => {
        // Another instance was first: its secret is the one.
        if (answeredStatus(error) !== 409 && answeredStatus(error) !== 412)
          throw asServiceRefusal(error, 'The lease secret');
      });
  };
  let text = await read();
  if (text === undefined) {
    await make();
    text = await read();
  }
  const parsed = fileSchema.safeParse(asJson(text));
  if (!parsed.success)
    throw new Error(
      `The blob ${blob.url} is no wrapped lease secret. Delete it and start again: every worker then claims its job anew.`,
    );
  const secret = await keys.unwrap(
    { wrapped: Buffer.from(parsed.data.wrapped, 'base64'), version: parsed.data.version },
    CONTEXT,
  );
  if (secret.byteLength !== SECRET_BYTES)
    throw new Error(`The lease secret in ${blob.url} is damaged. Delete it: every worker then claims its job anew.`);
  return secret;
}

function asJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
