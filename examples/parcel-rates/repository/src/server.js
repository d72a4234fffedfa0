import { createServer } from 'node:http';
import { quote } from './quote.js';

const bodyBytes = 4096;

/** The HTTP service: `POST /quotes`, `GET /health`. */
export function createService() {
  return createServer((request, response) => {
    handle(request).then(
      ({ status, body }) => send(response, status, body),
      () => send(response, 500, { error: 'internal' }),
    );
  });
}

async function handle(request) {
  if (request.method === 'GET' && request.url === '/health') return { status: 200, body: { ok: true } };
  if (request.method !== 'POST' || request.url !== '/quotes') return { status: 404, body: { error: 'not found' } };
  try {
    return { status: 200, body: quote(JSON.parse(await readBody(request))) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return { status: 400, body: { error: error.message } };
    throw error;
  }
}

async function readBody(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > bodyBytes) throw new RangeError(`a body has at most ${bodyBytes} bytes`);
  }
  return text;
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
