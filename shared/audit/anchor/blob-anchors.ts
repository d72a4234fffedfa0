import type { ContainerClient } from '@azure/storage-blob';
import { answeredCode, answeredStatus, asServiceRefusal } from '../../azure/azure-fault.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { AnchorStore } from './anchor-store.ts';

const NAME = /^anchor-\d{12}\.json$/;
/** The name is there: by the condition, or because the container's retention policy guards it. */
const TAKEN = new Set([
  'BlobAlreadyExists',
  'ConditionNotMet',
  'UnmodifiedConditionNotMet',
  'BlobImmutableDueToPolicy',
]);

/**
 * The blob driver: one blob an anchor, created with `If-None-Match: *` (RFC 9110 §13.1.2) in a container whose time-based retention policy lets nobody
 * replace or remove it, the plane's own identity included. A create whose answer was lost is repeated by the SDK and then answers
 * `taken`: the caller reads back, verifies and adopts, as for another plane's.
 */
export function openBlobAnchors(container: ContainerClient): AnchorStore {
  return {
    create: (name, text) =>
      crossing('anchor.write', async () => {
        const bytes = Buffer.from(text);
        try {
          await container.getBlockBlobClient(name).upload(bytes, bytes.byteLength, {
            conditions: { ifNoneMatch: '*' },
            blobHTTPHeaders: { blobContentType: 'application/json' },
          });
          return 'created' as const;
        } catch (error) {
          const status = answeredStatus(error);
          if ((status === 409 || status === 412) && TAKEN.has(answeredCode(error) ?? '')) return 'taken' as const;
          throw asServiceRefusal(error, `Anchor ${name}`);
        }
      }),
    async read(name) {
      try {
        return (await container.getBlobClient(name).downloadToBuffer()).toString('utf8');
      } catch (error) {
        if (answeredStatus(error) === 404) return undefined;
        throw asServiceRefusal(error, `Anchor ${name}`);
      }
    },
    async *list(behind) {
      // The service lists names in ascending order.
      for await (const { name } of container.listBlobsFlat({ prefix: 'anchor-' }))
        if (NAME.test(name) && name > behind) yield name;
    },
  };
}
