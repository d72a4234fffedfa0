import type { TenantId } from '../../shared/domain/ids.ts';
import { acceptRestore, lookAtRestore } from '../../shared/plane/accept-restore.ts';
import { openRestorable } from './restorable.ts';

/** Accepts the restore of the plane in a directory, and says so: at which step it dies is told by FACTORY_CRASH_AT. */
const [directory = '', tenant = ''] = process.argv.slice(2);
const plane = await openRestorable(directory, tenant as TenantId);
const { last } = await lookAtRestore(plane.restore);
await acceptRestore(plane.restore, plane.operator, {
  sequence: last!.statement.sequence,
  digest: last!.payloadDigest,
  reason: 'the disk was lost',
});
process.stdout.write('accepted');
await plane.close();
