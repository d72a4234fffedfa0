import type { Part } from './part.ts';
import { audit } from './parts/audit.ts';
import { claims } from './parts/claims.ts';
import { crashPoints } from './parts/crash-points.ts';
import { example } from './parts/example.ts';
import { fanOut } from './parts/fan-out.ts';
import { hub } from './parts/hub.ts';
import { kills } from './parts/kills.ts';
import { messages } from './parts/messages.ts';
import { simulation } from './parts/simulation.ts';
import { zombies } from './parts/zombies.ts';

/** Every part of the proof, in the order in which they run. */
export const PARTS: readonly Part[] = [
  simulation,
  claims,
  zombies,
  fanOut,
  audit,
  messages,
  hub,
  crashPoints,
  kills,
  example,
];
