/** Why the broker refuses something. The protocol layer translates each into the condition its clients know. */
export type BrokerErrorCode =
  | 'queue-not-found'
  | 'message-lock-lost'
  | 'message-too-large'
  | 'quota-exceeded'
  | 'not-allowed'
  | 'not-implemented'
  | 'invalid-message'
  | 'storage-failed';

export class BrokerError extends Error {
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BrokerError';
    this.code = code;
  }
}

/** The answer to any settlement or renewal whose lock token is unknown, expired or already used. */
export function lockLost(queue: string): BrokerError {
  return new BrokerError(
    'message-lock-lost',
    `The lock supplied for a message of '${queue}' is not valid: it expired, or the message was already settled. Receive the message again.`,
  );
}
