import { CALLS, type CallDemand, type CallName } from '../demand/call.ts';
import { type CallCounts, callsOf } from '../demand/of-request.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Load } from './service-model.ts';

/** Round trips from the audit head's lock to the commit's answer: next number, event, head, sometimes references, commit. */
const AUDIT_ROUND_TRIPS = 4;

/** Milliseconds of a log write. */
export function commitMs(profile: Profile): number {
  switch (profile.sqlSku) {
    case 'BC_Gen5':
      return LIMITS_OF_SERVICES.sqlCommitCritical.value;
    case 'HS_Gen5':
      return LIMITS_OF_SERVICES.sqlCommitHyperscale.value;
    default:
      return LIMITS_OF_SERVICES.sqlCommitGeneral.value;
  }
}

/** Milliseconds that one audited commit holds the head of its stream: nobody else of the application commits meanwhile. */
export const auditHoldMs = (profile: Profile): number =>
  AUDIT_ROUND_TRIPS * LATENCIES.roundTripMs.value + commitMs(profile);

/** Round trips of a call that are no part of an audit hold: its statements, and begin and commit of each transaction. */
export const roundTripsOf = (call: CallDemand): number =>
  Math.max(0, call.statements + 2 * call.commits - AUDIT_ROUND_TRIPS * call.audited);

/** Milliseconds that one call takes when nobody is in its way. */
export function callMs(call: CallDemand, profile: Profile): number {
  return (
    LATENCIES.callMs.value +
    call.statements * LATENCIES.statementMs.value +
    roundTripsOf(call) * LATENCIES.roundTripMs.value +
    call.audited * auditHoldMs(profile) +
    (call.commits - call.audited) * commitMs(profile) +
    (call.unwraps + call.signatures) * LATENCIES.keyMs.value +
    (call.blobReads + call.blobWrites) * LATENCIES.blobMs.value
  );
}

/** Milliseconds of all the calls of a request. */
export function callsMs(load: Load, profile: Profile): number {
  const counts: CallCounts = callsOf(load.line, profile.leaseSeconds);
  return (Object.keys(CALLS) as CallName[]).reduce((sum, name) => sum + counts[name] * callMs(CALLS[name], profile), 0);
}
