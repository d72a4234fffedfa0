import { callsOf, totalsOf } from '../demand/of-request.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { ServiceModel } from './service-model.ts';

export const blobs: ServiceModel = {
  name: 'blob storage: requests',
  unit: 'requests/s',
  capacity: () => LIMITS_OF_SERVICES.blobRequests.value,
  demand(load, profile) {
    const { blobReads, blobWrites } = totalsOf(callsOf(load.line, profile.leaseSeconds));
    return blobReads + blobWrites;
  },
  raises: [],
};

/** The activity feed has a partition an application, and at most one entry for each audited change. */
export const table: ServiceModel = {
  name: 'activity table: entities of an application',
  unit: 'entities/s',
  capacity: (_profile, { applications }) => LIMITS_OF_SERVICES.tableEntities.value * applications,
  demand: (load, profile) => totalsOf(callsOf(load.line, profile.leaseSeconds)).audited,
  raises: [],
};
