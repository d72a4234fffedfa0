import { z } from 'zod';
import { changeFacts, recordFacts, time } from './parts.ts';

/** Content of change evidence: everything an approver of the effect and a reader of the pull request need, before anything is effected. */
export const changeEvidenceFacts = z.strictObject({ ...changeFacts.shape, ...recordFacts.shape, createdAt: time });

export type ChangeEvidenceFacts = z.infer<typeof changeEvidenceFacts>;
