/** What a queue should do, in the simplest words: a list, and no indexes, timers, disk or protocol. */

export interface ModelMessage {
  readonly body: number;
  readonly expiresAt: number;
  deliveryCount: number;
  lockedUntil: number | undefined;
}

export interface Model {
  readonly messages: ModelMessage[];
  readonly deadLetters: { readonly body: number; readonly reason: string; readonly deliveryCount: number }[];
}

export interface ModelSettings {
  readonly lockDuration: number;
  readonly maxDeliveryCount: number;
  readonly deadLetterOnExpiration: boolean;
}

/** Takes out what is spent: locks that ended first, then deliveries and time used up. */
export function settleTime(model: Model, settings: ModelSettings, now: number): void {
  for (const message of [...model.messages]) {
    if (message.lockedUntil !== undefined && message.lockedUntil <= now) {
      message.lockedUntil = undefined;
      message.deliveryCount += 1;
    }
    if (message.lockedUntil !== undefined) continue;
    if (message.deliveryCount >= settings.maxDeliveryCount) deadLetter(model, message, 'MaxDeliveryCountExceeded');
    else if (message.expiresAt <= now) {
      if (settings.deadLetterOnExpiration) deadLetter(model, message, 'TTLExpiredException');
      else remove(model, message);
    }
  }
}

export function receive(model: Model, settings: ModelSettings, now: number, count: number): ModelMessage[] {
  const received = model.messages.filter((message) => message.lockedUntil === undefined).slice(0, count);
  for (const message of received) message.lockedUntil = now + settings.lockDuration;
  return received;
}

export function deadLetter(model: Model, message: ModelMessage, reason: string): void {
  remove(model, message);
  model.deadLetters.push({ body: message.body, reason, deliveryCount: message.deliveryCount });
}

export function remove(model: Model, message: ModelMessage): void {
  model.messages.splice(model.messages.indexOf(message), 1);
}
