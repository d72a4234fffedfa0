import { insertRows } from '../row-statements.ts';
import { nodes } from '../schema/tables/node.ts';

export const insertNodes = insertRows('nodes.insert', nodes, 'node');
