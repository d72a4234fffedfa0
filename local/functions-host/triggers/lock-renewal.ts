import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';

/** Milliseconds between two attempts at most, and at least. */
const retryDelay = 1_000;
const shortestDelay = 50;

/**
 * Keeps a message locked for `longest` milliseconds at most, by renewing its lock when half of it is over. Returns what
 * stops that. The client's own renewal goes by message id: of two messages with one id it loses the second (its source says
 * so), and it goes on after the function ended when nothing settles the message.
 */
export function keepLocked(
  receiver: ServiceBusReceiver,
  message: ServiceBusReceivedMessage,
  longest: number,
): () => void {
  const end = Date.now() + longest;
  let lockedUntil = message.lockedUntilUtc?.getTime() ?? 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const arm = (delay: number) => {
    const at = Date.now() + Math.max(delay, shortestDelay);
    if (!stopped && at < end) timer = setTimeout(renew, at - Date.now());
  };
  const armAtHalf = () => arm((lockedUntil - Date.now()) / 2);
  const renew = () => {
    receiver.renewMessageLock(message).then(
      (until) => {
        lockedUntil = until.getTime();
        armAtHalf();
      },
      (error: unknown) => {
        // A lock that is lost shows when the message is settled; anything else may pass while the lock lasts.
        const lost = error instanceof Error && 'code' in error && error.code === 'MessageLockLost';
        if (!lost && Date.now() < lockedUntil) arm(Math.min(retryDelay, (lockedUntil - Date.now()) / 2));
      },
    );
  };
  armAtHalf();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
