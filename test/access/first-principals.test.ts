import { describe, expect, test } from 'vitest';
import { createActors } from '../../shared/access/actors.ts';
import { ensureTenant, seedIdentities } from '../../shared/access/seed.ts';
import { firstPrincipals } from '../../shared/config/first-principals.ts';
import { findPrincipal } from '../../shared/store/access/principals.ts';
import { withdrawRole } from '../../shared/store/access/roles.ts';
import { one, write } from '../../shared/store/command.ts';
import { openStore } from '../store/fixture.ts';

const owner = '3F0C1C5E-0a58-4a7e-9f5e-0a5b5f7c7d11';
const station = '8b5d3f2a-4c7e-4b8e-a1d2-6f3e5c9b7a10';
const tid = '0c1c5e3f-0a58-4a7e-9f5e-0a5b5f7c7d11';

describe('the first identities', () => {
  test.each([
    ['an unknown role', `root=${owner}`],
    ['no object id', 'station='],
    ['a name in place of the id', 'station=somebody'],
    ['one identity twice', `station=${station},verifier=${station}`],
    ['nothing between two commas', `station=${station},,`],
  ])('are refused with %s', (_what, text) => {
    expect(firstPrincipals.safeParse(text).success).toBe(false);
  });

  test('may call from the first start on, and what was taken from them is not given back by the next', async () => {
    const store = openStore();
    const tenant = await ensureTenant(store, tid, tid);
    const start = () =>
      seedIdentities(store, tenant, tid, firstPrincipals.parse(`policy_owner=${owner}, station=${station}`));
    await start();
    const actorOf = (oid: string, grant: 'application' | 'delegated') =>
      createActors({ store, tenant }).actorOf({ tid, oid, grant, authenticatedAt: 0 });
    const person = await actorOf(owner.toLowerCase(), 'delegated');
    expect(person).toMatchObject({ kind: 'User', roles: ['policy_owner'] });
    expect(await actorOf(station, 'application')).toMatchObject({ kind: 'Worker', roles: ['station'] });
    await store.run('test', function* () {
      const row = yield* one(findPrincipal({ tid, oid: owner.toLowerCase() }));
      if (row === undefined) throw new Error('no policy owner');
      yield* write(withdrawRole({ tenant, principal: row.id, role: 'policy_owner', application_key: '' }));
    });
    await start();
    expect(await actorOf(owner.toLowerCase(), 'delegated')).toMatchObject({ principal: person.principal, roles: [] });
  });
});
