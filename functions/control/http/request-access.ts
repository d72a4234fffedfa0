import type { RequestId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import type { Action, ResourceOf } from '../../../shared/gates/policy/actions.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import { type Command, one } from '../../../shared/store/command.ts';
import { readRequest } from '../../../shared/store/requests/read.ts';
import type { ApplicationRow, RequestRow } from '../../../shared/store/schema/rows.ts';
import type { Plane } from '../plane.ts';
import type { Call } from './route.ts';

type RequestAction = Extract<Action, 'readRequest' | 'cancelRequest' | 'retryRequest' | 'answerRequest'>;

/** A request as policy sees it. */
export function requestResource(row: RequestRow): ResourceOf<'readRequest'> {
  return {
    id: row.id,
    tenant: row.tenant_id,
    application: row.application_id,
    requestedBy: row.requested_by,
    delegates: [],
    risk: 'low',
  };
}

/** The request that the path names and its application, once the policy permits the route's action on it. */
export async function permittedRequest(
  call: Call<unknown, unknown>,
  action: RequestAction,
): Promise<{ readonly row: RequestRow; readonly application: ApplicationRow | undefined }> {
  const { plane } = call;
  const id = call.id('request', 'request');
  const found = await plane.store.read('requests.read', () => readWithApplication(plane, id));
  if (found.row === undefined) throw notFound(`Request ${id}`);
  await call.permit(action, found.application?.definitions_digest ?? null, requestResource(found.row), `Request ${id}`);
  return { row: found.row, application: found.application };
}

function* readWithApplication(
  plane: Plane,
  id: RequestId,
): Command<{ row: RequestRow | undefined; application: ApplicationRow | undefined }> {
  const row = yield* one(readRequest({ tenant: plane.tenant, request: id }));
  const application =
    row === undefined
      ? undefined
      : yield* one(readApplication({ tenant: plane.tenant, application: row.application_id }));
  return { row, application };
}
