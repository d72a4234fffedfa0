import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DELIVERING, scaled } from '../../bench/scale/demand/line.ts';
import { DEV, PROD } from '../../bench/scale/profiles/profiles.ts';
import { BINDS_AT, byShare, firstLimit, SERVICES } from '../../bench/scale/services/all.ts';
import { climb } from '../../bench/scale/services/ladder.ts';
import { type Load, offered } from '../../bench/scale/services/service-model.ts';
import { simulate } from '../../bench/scale/simulation/run.ts';

const root = path.resolve(import.meta.dirname, '../..');
const load = (requestsPerHour: number, applications = 10): Load => ({
  line: DELIVERING,
  requestsPerHour,
  applications,
});

describe('the services', () => {
  it('are asked for something, and can give something, under every profile', () => {
    for (const profile of [DEV, PROD])
      for (const service of SERVICES) {
        expect(service.demand(load(1), profile), service.name).toBeGreaterThan(0);
        expect(service.capacity(profile, load(1)), service.name).toBeGreaterThan(0);
        expect(Number.isFinite(service.capacity(profile, load(1))), service.name).toBe(true);
      }
    expect(new Set(SERVICES.map(({ name }) => name)).size).toBe(SERVICES.length);
  });

  it('take a share that grows with the requests, by the utilisation law', () => {
    for (const service of SERVICES) {
      const [none, one, two] = [0, 500, 1_000].map((rate) => offered(service, PROD, load(rate)));
      expect(two! - one!, service.name).toBeCloseTo(one! - none!, 10);
      expect(one, service.name).toBeGreaterThan(none!);
    }
  });

  it('the first limit is the one that is most loaded once it binds', () => {
    for (const profile of [DEV, PROD]) {
      const { service, requestsPerHour } = firstLimit(profile, load(1));
      const [top] = byShare(profile, load(requestsPerHour));
      expect(top?.service.name).toBe(service.name);
      expect(top?.share).toBeCloseTo(BINDS_AT, 10);
    }
  });
});

describe('raising', () => {
  it('each step lowers the load of the service it is for, and no step is taken for nothing', () => {
    for (const profile of [DEV, PROD])
      for (const rate of [100, 1_000, 10_000]) {
        const { rungs } = climb(profile, load(rate, 1));
        expect(rungs.length).toBeGreaterThan(0);
        for (const { raise, before, service: name } of rungs) {
          const service = SERVICES.find((each) => each.name === name)!;
          const after = raise.next(before)!;
          expect(offered(service, after, load(rate, 1)), `${name}: ${raise.what}`).toBeLessThan(
            offered(service, before, load(rate, 1)),
          );
          expect(raise.size(after), raise.what).not.toBe(raise.size(before));
        }
      }
  });

  it('ends where the load is carried, or says what is left without a step', () => {
    const carried = climb(PROD, load(10_000));
    expect(carried.stuck).toBeUndefined();
    expect(byShare(carried.profile, load(10_000))[0]?.share).toBeLessThan(BINDS_AT);
    const settingsAlone = climb(PROD, load(10_000), ({ where }) => where === 'parameter');
    expect(settingsAlone.stuck).toBe('sandbox sessions');
    expect(climb(PROD, { ...load(10_000), line: scaled(DELIVERING, 100) }).stuck).toBeDefined();
  });

  it('names parameters that the templates have, and files that are there', () => {
    const templates = readFileSync(path.join(root, 'infra/main.bicep'), 'utf8');
    for (const service of SERVICES)
      for (const { what, where } of service.raises) {
        const named = /[\w./-]+\.(bicep|ts)/.exec(what)?.[0];
        if (named !== undefined) expect(existsSync(path.join(root, named)), what).toBe(true);
        if (where === 'parameter')
          expect(templates, what).toMatch(new RegExp(`^param ${/^\w+/.exec(what)?.[0]} `, 'm'));
      }
    const fixed = {
      'worker-job': 'messageCount: string(concurrency)',
      keyvault: 'keySize: 3072',
      'session-pool': 'maxConcurrentSessions',
    };
    for (const [module, literal] of Object.entries(fixed))
      expect(readFileSync(path.join(root, `infra/modules/${module}.bicep`), 'utf8')).toContain(literal);
  });
});

describe('the simulation', () => {
  const { profile } = climb(PROD, load(300));
  const outcome = simulate(profile, load(300), { kind: 'steady', warmUpHours: 1, hours: 3 }, 5);

  it('ends what comes in when nothing binds, and uses of each service what the utilisation law says', () => {
    expect(Math.abs(outcome.ended - outcome.submitted) / outcome.submitted).toBeLessThan(0.1);
    const rate = outcome.submitted / outcome.hours;
    for (const service of SERVICES) {
      const used = outcome.services.get(service.name)?.utilisation;
      // An execution that claims several jobs is started once, and ready instances count while they wait: pools differ from the law.
      if (used === undefined || service.name.startsWith('pool ')) continue;
      const expected = offered(service, profile, load(rate));
      expect(Math.abs(used - expected), `${service.name}: ${used} for ${expected}`).toBeLessThan(
        0.12 * expected + 0.001,
      );
    }
  });

  it('nobody waits less than nothing, nothing is used more than whole, and means lie below worst cases', () => {
    const full = simulate(PROD, load(1_000, 1), { kind: 'steady', warmUpHours: 0.2, hours: 0.5 }, 2);
    for (const [name, figures] of [...outcome.services, ...full.services]) {
      for (const value of Object.values(figures)) expect(value, name).toBeGreaterThanOrEqual(0);
      expect(figures.utilisation, name).toBeLessThanOrEqual(1 + 1e-9);
      expect(figures.waitP50, name).toBeLessThanOrEqual(figures.waitP99);
      expect(figures.queueMean, name).toBeLessThanOrEqual(figures.queueMost + 1e-9);
    }
    expect(full.services.get('sandbox sessions')?.utilisation).toBeGreaterThan(0.9);
  });

  it("keeps Little's law over whole requests: those open are those that come by how long they stay", () => {
    const campaign = simulate(
      profile,
      load(60, 1),
      { kind: 'campaign', requests: 60, withinMinutes: 5, atMostHours: 24 },
      3,
    );
    expect(campaign).toMatchObject({ submitted: 60, ended: 60, open: 0 });
    const stay = climb(PROD, load(300)).profile;
    const steady = simulate(stay, load(300), { kind: 'steady', warmUpHours: 2, hours: 4 }, 4);
    const arrivals = steady.submitted / steady.hours;
    expect(steady.openMean / ((arrivals * steady.requestMean) / 3_600_000)).toBeCloseTo(1, 1);
  });

  it('is the same for the same seed, and another for another', () => {
    const again = simulate(profile, load(300), { kind: 'steady', warmUpHours: 1, hours: 3 }, 5);
    expect(again).toEqual(outcome);
    const other = simulate(profile, load(300), { kind: 'steady', warmUpHours: 1, hours: 3 }, 6);
    expect(other.submitted).not.toBe(outcome.submitted);
  });

  it('takes longer for a campaign when less is there for it', () => {
    const campaign = { kind: 'campaign', requests: 40, withinMinutes: 5, atMostHours: 48 } as const;
    const of = (maximumSessions: number) => simulate({ ...PROD, maximumSessions }, load(40, 1), campaign, 1);
    const [few, many] = [of(10), of(50)];
    expect(few.ended).toBe(40);
    expect(few.hours).toBeGreaterThan(many.hours);
    const wait = (outcome: typeof few): number => outcome.services.get('sandbox sessions')?.waitP99 ?? 0;
    expect(wait(few)).toBeGreaterThan(wait(many));
  });
});
