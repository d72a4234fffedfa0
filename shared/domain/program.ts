/** This program as evidence, telemetry and the command line name it; the version is package.json's. */
export const PROGRAM = { name: 'agent-factory', version: '0.1.0' } as const;
