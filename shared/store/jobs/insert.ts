import { insertRow, insertRows } from '../row-statements.ts';
import { jobAttempts, jobInputs, jobOutputs, jobs } from '../schema/tables/job.ts';

/** Many at once for a fan-out. */
export const insertJobs = insertRows('jobs.insert', jobs, 'job');

export const insertJobInputs = insertRows('jobs.insertInputs', jobInputs, 'job');
export const insertJobOutputs = insertRows('jobs.insertOutputs', jobOutputs, 'job');

/** Written with the claim; `endAttempt` closes it. */
export const insertAttempt = insertRow('jobs.insertAttempt', jobAttempts, 'job');
