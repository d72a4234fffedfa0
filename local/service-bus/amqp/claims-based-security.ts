import { int, type Replies } from './replies.ts';
import type { EventContext } from './rhea.ts';

/** The node that takes tokens (AMQP claims-based security 1.0). */
export const CBS_ADDRESS = '$cbs';

/**
 * Accepts any token. The broker listens on the loopback address only and its configuration holds no keys, as with Microsoft's
 * emulator: whoever can reach the port may use it.
 */
export function answerToken(context: EventContext, replies: Replies): void {
  replies.send(context, {
    properties: { 'status-code': int(202), 'status-description': 'Accepted' },
    body: null,
  });
}
