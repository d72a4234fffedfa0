import type { Database } from './tables.ts';

/** Rows by what they are, for commands. */
export type RequestRow = Readonly<Database['requests']>;
export type LockedRequest = RequestRow & { readonly now: number };
export type NodeRow = Readonly<Database['nodes']>;
export type JobRow = Readonly<Database['jobs']>;
export type ApprovalRow = Readonly<Database['approvals']>;
export type EffectRow = Readonly<Database['effects']>;
export type InstallationRow = Readonly<Database['installations']>;
export type ApplicationRow = Readonly<Database['applications']>;
