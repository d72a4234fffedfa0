import type { Code } from '../code.ts';
import type { Check } from '../finding.ts';
import { agreementChecks } from './agreement.ts';
import { computeChecks } from './compute.ts';
import { dataChecks } from './data.ts';
import { formChecks } from './form.ts';
import { identityChecks } from './identity.ts';
import { lifecycleChecks } from './lifecycle.ts';
import { nameChecks } from './names.ts';
import { networkChecks } from './network.ts';
import { requestChecks } from './requests.ts';
import { typeChecks } from './types.ts';
import { watchingChecks } from './watching.ts';

/** The 29 checks of a review, in their order, and then the agreement with the code. */
export const allChecks = (code: Code): readonly Check[] => [
  ...[
    ...formChecks,
    ...networkChecks,
    ...identityChecks,
    ...dataChecks,
    ...computeChecks,
    ...watchingChecks,
    ...lifecycleChecks,
  ].sort((a, b) => Number(a.id) - Number(b.id)),
  ...nameChecks,
  ...typeChecks,
  ...requestChecks,
  ...agreementChecks(code),
];
