import { randomUUID } from 'node:crypto';
import type { PlaneApi } from '../api/plane-api.ts';
import { understood } from '../api/read.ts';
import { submittedResource } from '../api/resources.ts';
import { readPacketFile } from './packet-file.ts';

/** Submits a packet file to an application and answers the request's id. The key makes a repeated call start nothing twice. */
export async function submitPacketFile(
  api: PlaneApi,
  file: string,
  application: string,
  key: string = randomUUID(),
): Promise<string> {
  const answer = await api.call('POST', '/requests', {
    query: { application },
    body: readPacketFile(file),
    headers: { 'idempotency-key': key },
  });
  return understood(submittedResource, answer, '/requests').id;
}
