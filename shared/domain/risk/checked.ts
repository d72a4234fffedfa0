import type { ConcernKind } from './concern.ts';
import type { Risk } from './tier.ts';

const NOTHING_CHECKED: ConcernKind = 'nothing_checked';

/** Whether something ran on the change that could have failed, as far as its risk tells: policy may refuse what was not. */
export const wasChecked = ({ reasons }: Risk): boolean => !reasons.some(({ signal }) => signal === NOTHING_CHECKED);
