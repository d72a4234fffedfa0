import { z } from 'zod';

const host = z.looseObject({
  extensions: z.looseObject({ durableTask: z.looseObject({}).optional() }).optional(),
});

/** A package's `host.json` with the durable backend of an environment over it. All else stays as it was tested. */
export function overlayHost(packaged: unknown, overlay: unknown): unknown {
  const [under, over] = [host.parse(packaged), host.parse(overlay)];
  const durableTask = { ...under.extensions?.durableTask, ...over.extensions?.durableTask };
  return { ...under, ...over, extensions: { ...under.extensions, ...over.extensions, durableTask } };
}
