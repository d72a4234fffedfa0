import { z } from 'zod';

const anchor = z.object({ sequence: z.int(), name: z.string(), digest: z.string() });
const losses = z.object({
  streams: z.array(
    z.object({
      stream: z.string(),
      keptTo: z.int(),
      lostFrom: z.int(),
      lostTo: z.int(),
      replaced: z.boolean().optional(),
    }),
  ),
  more: z.int(),
});
/** `GET /restore`: whether the database has everything that is sealed, and what it lacks. */
export const restoreStatus = z.object({
  sound: z.boolean(),
  incarnation: z.string(),
  anchor: anchor.optional(),
  begun: z.string().optional(),
  missing: losses.optional(),
});
/** `POST /restore/accept`: what was declared lost. */
export const acceptedRestore = z.object({
  incarnation: z.string(),
  of: z.string(),
  declaration: anchor,
  at: z.string(),
  acceptedBy: z.string(),
  reason: z.string(),
  lost: losses,
});
