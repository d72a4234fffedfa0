#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { invoice } from '../src/invoice.js';
import { quote } from '../src/quote.js';
import { createService } from '../src/server.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { weight: { type: 'string' }, zone: { type: 'string', default: 'domestic' }, tracked: { type: 'boolean', default: false } },
});

if (positionals[0] === 'serve') {
  createService().listen(process.env.FACTORY_SOCKET ?? Number(process.env.PORT ?? 8080));
} else if (positionals[0] === 'quote') {
  try {
    console.log(invoice(quote({ grams: Number(values.weight), zone: values.zone, tracked: values.tracked })));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
} else {
  console.error('usage: parcel-rates quote --weight GRAMS [--zone ZONE] [--tracked] | serve');
  process.exitCode = 64;
}
