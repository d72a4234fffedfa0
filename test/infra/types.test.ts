import { describe, expect, test } from 'vitest';
import { check, edited } from './landing.ts';

/** File, from, to, and the words of the finding. */
const FAULTS: readonly (readonly [string, string, string, string])[] = [
  ['main.prod.bicepparam', 'maximumExecutions:', 'maximumExecution:', 'jobScale has no maximumExecution'],
  ['main.prod.bicepparam', '  pointInTimeDays: 35\n', '', 'backup lacks pointInTimeDays'],
  ['main.prod.bicepparam', 'pointInTimeDays: 35', 'pointInTimeDays: 36', 'above the 35'],
  ['main.prod.bicepparam', "redundancy: 'GeoZone'", "redundancy: 'Georedundant'", "not 'Local' | 'Zone'"],
  ['main.prod.bicepparam', 'param zoneRedundant = true', "param zoneRedundant = 'yes'", 'is of string, not of bool'],
  ['main.prod.bicepparam', "param sqlSku = 'GP_Gen5'", "param sqlSku = 'S3'", 'not allowed'],
  ['main.prod.bicepparam', 'param sqlVCores = 4', 'param sqlVCores = 0', 'below the 1'],
  ['main.prod.bicepparam', 'instanceCount:', 'count:', 'alwaysReady[0] has no count'],
  ['main.dev.bicepparam', "param ingress = 'none'", "param ingress = 'no'", "not 'frontDoor'"],
  ['main.bicep', "param nodeVersion '22' | '24' = '24'", "param nodeVersion '22' | '24' = '26'", "not '22' | '24'"],
  ['main.bicep', 'contacts: alertEmails', 'people: alertEmails', 'modules/budget.bicep has no parameter people'],
  ['main.bicep', ', contacts: alertEmails', '', 'is not given contacts'],
];

describe('a parameter of another type is found', () => {
  test.each(FAULTS)('%s: %j → %j', async (file, from, to, words) => {
    const found = (await check(edited(file, from, to))).filter((finding) => finding.check === 'types');
    expect(found.map(({ what }) => what).join('\n')).toContain(words);
  });
});
