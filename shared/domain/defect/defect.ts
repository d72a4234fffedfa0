/**
 * What was wrong with a change that was delivered, found after it had passed everything:
 * - `regression`: something that worked before does not any more;
 * - `wrong_behaviour`: what was asked for is done, and done wrongly;
 * - `incomplete`: part of what was asked for is missing;
 * - `security`: it opened something that was closed;
 * - `performance`: it costs too much time, memory or money to run.
 */
export const DEFECT_CLASSES = ['regression', 'wrong_behaviour', 'incomplete', 'security', 'performance'] as const;
export type DefectClass = (typeof DEFECT_CLASSES)[number];

/** What escaped defects are grouped by: the product line that let them through, and their class. As many as lines times classes. */
export const defectSignature = (line: string, defectClass: DefectClass): string => `${line}/${defectClass}`;
