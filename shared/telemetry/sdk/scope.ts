import type { InstrumentationScope } from '@opentelemetry/core';

/** What the spans and metrics say they come from. */
export const SCOPE: InstrumentationScope = { name: 'agent-factory' };
