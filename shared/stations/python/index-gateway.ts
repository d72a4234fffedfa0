import type { IncomingMessage, ServerResponse } from 'node:http';
import { wheelsPage } from './index-page.ts';
import type { PythonIndex } from './python-index.ts';

/**
 * Answers pip inside the packages sandbox: pages of projects with their wheels alone, and those wheels. Source distributions are left
 * out, since building one runs its code.
 */
export async function answerPip(index: PythonIndex, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const path = (request.url ?? '/').split('?')[0] ?? '';
  const [, project, file] = /^\/simple\/([A-Za-z0-9._-]{1,200})\/(?:([A-Za-z0-9._!+-]{1,300}\.whl))?$/.exec(path) ?? [];
  const wheels = request.method === 'GET' && project !== undefined ? await index.wheels(project) : undefined;
  const wheel = wheels?.find(({ name }) => name === file);
  if (wheels === undefined || (file !== undefined && wheel === undefined)) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not here');
    return;
  }
  if (wheel === undefined) {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(wheelsPage(wheels, ({ name }) => `/simple/${project}/${name}`));
    return;
  }
  const bytes = await index.fetch(wheel);
  response
    .writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.byteLength })
    .end(bytes);
}
