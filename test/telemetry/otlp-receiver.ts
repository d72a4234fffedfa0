import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OtlpMessage } from './otlp-lines.ts';

/** How the endpoint answers: as it should, not at all until it is told to, or with a refusal. */
export type Manner = 'takes' | 'holds' | 'refuses';
export type Receiver = {
  readonly endpoint: string;
  readonly messages: OtlpMessage[];
  /** Calls that wait for an answer. */
  held(): number;
  behave(manner: Manner): void;
  close(): Promise<void>;
};

/** An OTLP/HTTP endpoint that takes JSON. */
export async function startReceiver(first: Manner = 'takes'): Promise<Receiver> {
  let manner = first;
  const messages: OtlpMessage[] = [];
  const waiting = new Set<ServerResponse>();
  const answer = (to: ServerResponse): void => {
    to.writeHead(manner === 'refuses' ? 400 : 200, { 'content-type': 'application/json' }).end('{}');
  };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    if (manner === 'holds') return void waiting.add(response);
    if (manner === 'takes') messages.push(JSON.parse(text) as OtlpMessage);
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    held: () => waiting.size,
    behave(next) {
      manner = next;
      if (next === 'holds') return;
      for (const response of waiting) answer(response);
      waiting.clear();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 240_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
