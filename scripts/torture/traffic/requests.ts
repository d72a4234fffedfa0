import { understood } from '../../../cli/api/read.ts';
import { submittedResource } from '../../../cli/api/resources.ts';
import { look } from '../plane/database.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { until } from '../wait.ts';

/** Submits a packet under a key; repeated while control is dead, it starts one request and no more. */
export async function submit(
  plane: TorturePlane,
  application: string,
  key: string,
  packet: Readonly<Record<string, unknown>>,
): Promise<string> {
  const requester = await plane.as('requester');
  const answer = await requester.call('POST', '/requests', {
    json: { application, packet },
    headers: { 'idempotency-key': key },
  });
  return understood(submittedResource, answer, '/requests').id;
}

export type RequestState = {
  readonly id: string;
  readonly application: string;
  readonly state: string;
  readonly terminal: string | null;
  /** It ended by asking a person to look at an effect whose end was not seen. */
  readonly asksToLook: boolean;
  readonly run: number;
};

/** Every request as the database has it. */
export function requestStates(plane: TorturePlane): RequestState[] {
  return look(
    plane.database,
    "select id, application_id, state, terminal_state, run, conclusion like '%effect_unseen%' as asks from requests order by id",
  ).map((row) => ({
    id: String(row['id']),
    application: String(row['application_id']),
    state: String(row['state']),
    terminal: row['terminal_state'] === null ? null : String(row['terminal_state']),
    asksToLook: row['asks'] === 1,
    run: Number(row['run']),
  }));
}

/** Waits until these requests have ended. @throws Error with how many have not. */
export async function untilTerminal(plane: TorturePlane, ids: readonly string[], limitMs: number): Promise<void> {
  const wanted = new Set(ids);
  let open: RequestState[] = [];
  try {
    await until(
      'that every request ends',
      limitMs,
      () => {
        open = requestStates(plane).filter((request) => wanted.has(request.id) && request.state !== 'terminal');
        return open.length === 0 ? true : undefined;
      },
      200,
    );
  } catch (error) {
    const some = open.slice(0, 3).map((request) => `${request.id} ${request.state}`);
    throw new Error(`${open.length} of ${ids.length} requests have not ended (${some.join(', ')} …)`, { cause: error });
  }
}
