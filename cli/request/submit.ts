import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { PlaneApi } from '../api/plane-api.ts';
import { understood } from '../api/read.ts';
import { submittedResource } from '../api/resources.ts';
import { CommandFailure } from '../failure.ts';

const MEDIA_TYPE: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
};

/** Media type of a packet file, by its name. */
export function mediaTypeOf(file: string): string {
  const mediaType = MEDIA_TYPE[path.extname(file).toLowerCase()];
  if (mediaType === undefined)
    throw new CommandFailure(`${file} is no packet by its name: it should end in .yaml or .json.`);
  return mediaType;
}

/** Submits a packet file to an application and answers the request's id. The key makes a repeated call start nothing twice. */
export async function submitPacketFile(
  api: PlaneApi,
  file: string,
  application: string,
  key: string = randomUUID(),
): Promise<string> {
  const answer = await api.call('POST', '/requests', {
    query: { application },
    body: { bytes: readFileSync(file), mediaType: mediaTypeOf(file) },
    headers: { 'idempotency-key': key },
  });
  return understood(submittedResource, answer, '/requests').id;
}
