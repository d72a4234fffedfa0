import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to the plane that holds back what reads artifacts, so that a job is under way for as long as a test likes. */
export type HeldPlane = {
  readonly url: string;
  /** Resolves when a job reads its first input and waits for it. */
  readonly reading: Promise<void>;
  /** Lets what is held, and all that follows, pass. */
  release(): void;
  close(): Promise<void>;
};

export async function holdArtifacts(controlUrl: string): Promise<HeldPlane> {
  const reading = Promise.withResolvers<void>();
  const held: (() => void)[] = [];
  let holding = true;
  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    if (holding && /\/jobs\/[^/]+\/artifacts\//.test(incoming.url ?? '')) {
      held.push(() => pass(incoming, response));
      reading.resolve();
    } else pass(incoming, response);
  });
  const pass = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, controlUrl), { method: method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reading: reading.promise,
    release() {
      holding = false;
      for (const onward of held.splice(0)) onward();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
