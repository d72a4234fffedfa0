import { POOLS } from '../../shared/domain/blueprint/schema.ts';

/** One queue a pool, in the form of the Service Bus emulator's Config.json. A hint that nobody takes dies of itself: the plane hints again. */
export const brokerConfig = {
  UserConfig: {
    Namespaces: [
      {
        Name: 'factory',
        Queues: POOLS.map((name) => ({
          Name: name,
          Properties: { LockDuration: 'PT1M', MaxDeliveryCount: 5, DefaultMessageTimeToLive: 'PT1H' },
        })),
      },
    ],
  },
} as const;
