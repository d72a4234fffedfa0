import type { RequestRow } from '../store/schema/rows.ts';
import type { LineGraph } from './graph.ts';

/** A locked request row, and what this command has made of it so far. Written once, at the end of `advance`. */
export type OpenRequest = { row: RequestRow; readonly graph: LineGraph };
