import type { RequestId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import type { Action, ResourceOf } from '../../../shared/gates/policy/actions.ts';
import { requestResource } from '../../../shared/gates/request-resource.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import { type Command, one } from '../../../shared/store/command.ts';
import { readRequest } from '../../../shared/store/requests/read.ts';
import type { ApplicationRow, RequestRow } from '../../../shared/store/schema/rows.ts';
import type { Plane } from '../plane.ts';
import type { Call } from './route.ts';

type RequestAction = Extract<
  Action,
  'readRequest' | 'cancelRequest' | 'retryRequest' | 'answerRequest' | 'recordDefect'
>;

/** The request that the path names and its application, once the policy permits the route's action on it. */
export async function permittedRequest(
  call: Call<unknown, unknown>,
  action: RequestAction,
): Promise<{ readonly row: RequestRow; readonly application: ApplicationRow | undefined }> {
  const { plane } = call;
  const id = call.id('request', 'request');
  const found = await plane.store.read('requests.read', () => readWithApplication(plane, id));
  if (found === undefined) throw notFound(`Request ${id}`);
  await call.permit(action, found.application?.definitions_digest ?? null, found.resource, `Request ${id}`);
  return { row: found.row, application: found.application };
}

type Found = {
  readonly row: RequestRow;
  readonly application: ApplicationRow | undefined;
  readonly resource: ResourceOf<RequestAction>;
};

function* readWithApplication({ tenant }: Plane, id: RequestId): Command<Found | undefined> {
  const row = yield* one(readRequest({ tenant, request: id }));
  if (row === undefined) return undefined;
  const application = yield* one(readApplication({ tenant, application: row.application_id }));
  return { row, application, resource: yield* requestResource(row) };
}
