import { z } from 'zod';

/** `manifest.yaml` of a bundle: what it is called and which files it is made of. A file beside it that it doesn't name is a fault. */
export const MANIFEST = 'manifest.yaml';
const path = z.string().max(200);

export const manifestSchema = z.strictObject({
  apiVersion: z.literal('factory/v1'),
  kind: z.literal('Definitions'),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
  version: z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}(-[0-9A-Za-z.-]{1,64})?$/),
  lines: z.array(path).min(1).max(100),
  policies: z.array(path).min(1).max(100),
});
export type Manifest = z.infer<typeof manifestSchema>;
