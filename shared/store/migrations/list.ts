import { initial } from './0001-initial.ts';
import { cost } from './0002-cost.ts';
import { defects } from './0003-defects.ts';
import { hiddenScenarios } from './0004-hidden-scenarios.ts';
import type { Migration } from './migration.ts';

/** Every migration, in order. */
export const MIGRATIONS: readonly Migration[] = [initial, cost, defects, hiddenScenarios];
