import { insertRow } from '../row-statements.ts';
import { requests } from '../schema/tables/request.ts';

export const insertRequest = insertRow('requests.insert', requests, 'request');
