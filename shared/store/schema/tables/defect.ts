import { DEFECT_CLASSES } from '../../../domain/defect/defect.ts';
import { LIMITS } from '../../../domain/limits.ts';
import { digest, id, name, oneOf, text, time } from '../column.ts';
import { table } from '../table.ts';

/** What people found wrong with a change after it was delivered. */
export const escapedDefects = table(
  'escaped_defects',
  {
    id: id('defect'),
    tenant_id: id('tenant'),
    application_id: id('application'),
    request_id: id('request'),
    /** Who recorded it. */
    principal_id: id('principal'),
    class: oneOf(DEFECT_CLASSES),
    signature: name(128),
    summary: text(LIMITS.defect.summaryLength),
    /** Of class and summary: the same person records the same once. */
    content_digest: digest(),
    recorded_at: time(),
  },
  {
    // The same recorded again by the same person is the same row.
    primaryKey: ['request_id', 'principal_id', 'content_digest'],
    indexes: [
      {
        name: 'ix_escaped_defects_request',
        columns: ['request_id', 'id'],
        serves: ['defects.ofRequest', 'defects.count'],
      },
    ],
    references: { request_id: 'requests' },
  },
);
