/**
 * Routes without which running work comes to nothing: their calls are small, and go first wherever calls wait or places
 * are short. By the names of their functions.
 */
export const VITAL_ROUTES: readonly string[] = [
  'health',
  'identity-token',
  'pools-claim',
  'jobs-claim',
  'jobs-renew',
  'jobs-complete',
  'jobs-fail',
  'jobs-release',
  'jobs-checkpoint',
];
