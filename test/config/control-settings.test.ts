import { describe, expect, test } from 'vitest';
import { readControlSettings } from '../../shared/config/control.ts';

const local = {
  FACTORY_DATA: '/data',
  FACTORY_SERVICE_BUS: 'Endpoint=sb://127.0.0.1',
  FACTORY_IDENTITY: 'local',
};
const guid = '3f0c1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11';
const azure = {
  FACTORY_STORE: 'azure-sql',
  FACTORY_SQL_SERVER: 'plane.database.windows.net',
  FACTORY_SQL_DATABASE: 'factory',
  FACTORY_ARTIFACTS_URL: 'https://account.blob.core.windows.net/artifacts',
  FACTORY_STAGING_URL: 'https://other.blob.core.windows.net/staging',
  FACTORY_ANCHORS_URL: 'https://account.blob.core.windows.net/anchors',
  FACTORY_ACTIVITY_URL: 'https://account.table.core.windows.net/activity',
  FACTORY_WRAPPING_KEY: 'https://vault.vault.azure.net/keys/wrapping',
  FACTORY_EVIDENCE_KEY: 'https://vault.vault.azure.net/keys/evidence',
  FACTORY_ANCHOR_KEY: 'https://vault.vault.azure.net/keys/anchor',
  AZURE_CLIENT_ID: guid,
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace: 'plane.servicebus.windows.net',
  FACTORY_IDENTITY: 'entra',
  FACTORY_ENTRA_TENANT: guid,
  FACTORY_AUDIENCE: guid,
};

/** The names that a refusal lists. */
function refused(environment: Readonly<Record<string, string>>): string[] {
  try {
    readControlSettings(environment);
    return [];
  } catch (error) {
    return [...String(error).matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name).sort();
  }
}

describe('a plane in Azure', () => {
  test('has every part there', () => {
    expect(readControlSettings(azure).places).toEqual({
      dataDirectory: undefined,
      sql: { server: 'plane.database.windows.net', database: 'factory' },
      artifactsUrl: azure.FACTORY_ARTIFACTS_URL,
      stagingUrl: azure.FACTORY_STAGING_URL,
      anchorsUrl: azure.FACTORY_ANCHORS_URL,
      activityUrl: azure.FACTORY_ACTIVITY_URL,
      wrappingKeyUrl: azure.FACTORY_WRAPPING_KEY,
      signingKeyUrls: { evidence: azure.FACTORY_EVIDENCE_KEY, anchor: azure.FACTORY_ANCHOR_KEY },
      serviceBus: { namespace: 'plane.servicebus.windows.net' },
      clientId: guid,
    });
  });

  test.each(
    Object.keys(azure).filter(
      (name) => name !== 'FACTORY_STORE' && name !== 'FACTORY_SERVICE_BUS__fullyQualifiedNamespace',
    ),
  )('does not start without %s, for its instances share everything', (name) => {
    expect(refused({ ...azure, [name]: '' })).toEqual([name]);
  });

  test('names everything at once, in words, and repeats no value', () => {
    const wrong = {
      FACTORY_STORE: 'azure-sql',
      FACTORY_SQL_SERVER: 'tcp:secret;Password=hush',
      FACTORY_IDENTITY: 'local',
    };
    expect(refused(wrong)).toEqual(
      [...Object.keys(azure), 'FACTORY_SERVICE_BUS'].filter((name) => !/STORE|ENTRA|AUDIENCE|__/.test(name)).sort(),
    );
    expect(() => readControlSettings(wrong)).not.toThrow(/hush/);
    expect(() => readControlSettings(wrong)).toThrow(/every part is in Azure, for all instances of control/);
    expect(() => readControlSettings(wrong)).toThrow(/local, which is for one machine/);
  });

  test.each([
    ['FACTORY_ARTIFACTS_URL', 'https://account.blob.core.windows.net/artifacts?sig=hush'],
    ['FACTORY_ANCHORS_URL', 'http://account.blob.core.windows.net/anchors'],
    ['FACTORY_STAGING_URL', 'https://user:hush@other.blob.core.windows.net/staging'],
    ['FACTORY_WRAPPING_KEY', 'https://vault.vault.azure.net/keys/wrapping/0123456789abcdef'],
    ['FACTORY_EVIDENCE_KEY', 'https://vault.vault.azure.net/secrets/evidence'],
    ['FACTORY_ANCHOR_KEY', azure.FACTORY_EVIDENCE_KEY],
    ['FACTORY_SERVICE_BUS__fullyQualifiedNamespace', 'sb://plane.servicebus.windows.net'],
    ['FACTORY_SQL_SERVER', 'plane.database.windows.net,1433'],
    ['FACTORY_SQL_DATABASE', 'factory; drop'],
    ['AZURE_CLIENT_ID', 'the-control'],
  ])('refuses %s=%s', (name, value) => {
    expect(refused({ ...azure, [name]: value })).toEqual([name]);
    expect(() => readControlSettings({ ...azure, [name]: value })).not.toThrow(/hush/);
  });

  test('takes hints one way', () => {
    expect(refused({ ...azure, FACTORY_SERVICE_BUS: 'Endpoint=sb://x' })).toEqual(['FACTORY_SERVICE_BUS']);
    expect(refused({ ...azure, FACTORY_SERVICE_BUS__fullyQualifiedNamespace: '' })).toEqual(['FACTORY_SERVICE_BUS']);
  });
});

describe('a plane on one machine', () => {
  test('may have single parts in Azure, under an identity', () => {
    const mixed = { ...local, FACTORY_ARTIFACTS_URL: azure.FACTORY_ARTIFACTS_URL, AZURE_CLIENT_ID: guid };
    expect(readControlSettings(mixed).places).toMatchObject({
      dataDirectory: '/data',
      sql: undefined,
      artifactsUrl: azure.FACTORY_ARTIFACTS_URL,
      stagingUrl: undefined,
    });
    expect(refused({ ...mixed, AZURE_CLIENT_ID: '' })).toEqual(['AZURE_CLIENT_ID']);
    expect(refused({ ...local, FACTORY_SQL_SERVER: azure.FACTORY_SQL_SERVER })).toEqual(['FACTORY_SQL_SERVER']);
    expect(refused({ ...mixed, FACTORY_DATA: '' })).toEqual(['FACTORY_DATA']);
  });
});
