import { capitals } from '@address-labels/capitals';

/** The lines of a label: recipient, street, and the town in capitals. */
export function label({ recipient, street, postcode, town }) {
  return [recipient, street, `${postcode} ${capitals(town)}`].join('\n');
}
