import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { entraIssuer } from '../../shared/access/entra-issuer.ts';
import { verifyToken } from '../../shared/access/verify-token.ts';

const tenant = '3f0c1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11';
const audience = '8b5d3f2a-4c7e-4b8e-a1d2-6f3e5c9b7a10';

test("keys come from the tenant's own address, and a flood of unknown keys makes one request to it", async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const paths: string[] = [];
  const server = createServer(async (request, response) => {
    paths.push(request.url ?? '');
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'known', alg: 'RS256', use: 'sig' }] }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = entraIssuer({ tenant, authority, audience });
  const token = (kid: string, claims: Record<string, unknown> = {}) =>
    new SignJWT({ ver: '2.0', tid: tenant, oid: 'e1', roles: ['Factory.Work'], ...claims })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .setIssuer(`${authority}/${tenant}/v2.0`)
      .setAudience(audience)
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('10m')
      .sign(privateKey);
  await expect(verifyToken(await token('known'), issuer)).resolves.toMatchObject({
    tid: tenant,
    oid: 'e1',
    grant: 'application',
  });
  for (let number = 0; number < 50; number += 1)
    await expect(verifyToken(await token(`unknown-${number}`), issuer)).rejects.toMatchObject({
      reason: 'unknown_key',
    });
  await expect(verifyToken(await token('known', { tid: 'another' }), issuer)).rejects.toMatchObject({
    reason: 'tenant',
  });
  expect(paths).toEqual([`/${tenant}/discovery/v2.0/keys`]);
});
