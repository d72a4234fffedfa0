import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findEntryFiles } from '../../local/functions-host/app/entry-files.ts';
import { readBodyLimit } from '../../local/functions-host/settings/body-limit.ts';
import { readHostSettings } from '../../local/functions-host/settings/host-json.ts';
import { applyLocalSettings, isDisabled, resolveSetting } from '../../local/functions-host/settings/local-settings.ts';
import { temporaryDirectory } from './host-process.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

/** An app's folder with these files. */
function folder(name: string, files: Record<string, unknown>): string {
  const made = path.join(directory.path, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(made, file)), { recursive: true });
    writeFileSync(path.join(made, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return made;
}

describe('local.settings.json', () => {
  it('sets what the environment does not', () => {
    const environment = { KEPT: 'from-environment' };
    applyLocalSettings(
      folder('local', { 'local.settings.json': { Values: { KEPT: 'file', ADDED: 'file' } } }),
      environment,
    );
    expect(environment).toEqual({ KEPT: 'from-environment', ADDED: 'file' });
  });

  it('is refused when encrypted, or with a value that is no text', () => {
    const encrypted = folder('encrypted', { 'local.settings.json': { IsEncrypted: true } });
    expect(() => applyLocalSettings(encrypted, {})).toThrow('encrypted');
    const number = folder('number', { 'local.settings.json': { Values: { PORT: 1 } } });
    expect(() => applyLocalSettings(number, {})).toThrow('Values.PORT must be text');
  });

  it('serves %NAME% and the switch of a function', () => {
    expect(resolveSetting('a-%Q%-b', { Q: 'queue' })).toBe('a-queue-b');
    expect(() => resolveSetting('%Q%', {})).toThrow('"Q"');
    expect(isDisabled('f', { 'AzureWebJobs.f.Disabled': 'True' })).toBe(true);
    expect(isDisabled('f', { 'AzureWebJobs.f.Disabled': 'false' })).toBe(false);
  });
});

describe('host.json', () => {
  it('has the defaults of Azure', () => {
    const { functionTimeout, extensions } = readHostSettings(folder('none', { 'package.json': {} }), {});
    expect(functionTimeout).toBe(1_800_000);
    expect(extensions).toMatchObject({
      http: { routePrefix: 'api' },
      durableTask: { hubName: 'TestHubName', defaultVersion: '' },
      serviceBus: { maxConcurrentCalls: 16, autoCompleteMessages: true, maxAutoLockRenewalDuration: 300_000 },
    });
  });

  it('may begin with a byte order mark', () => {
    const directory = folder('marked', { 'package.json': {} });
    writeFileSync(path.join(directory, 'host.json'), '\uFEFF{"extensions":{"http":{"routePrefix":""}}}');
    expect(readHostSettings(directory, {}).extensions.http.routePrefix).toBe('');
  });

  it('gives what it says, and leaves alone what is Azure’s', () => {
    const content = {
      version: '2.0',
      functionTimeout: '-1',
      logging: { logLevel: { default: 'Error' }, applicationInsights: {} },
      extensions: { http: { routePrefix: '' }, durableTask: { hubName: 'Hub', storageProvider: { type: 'x' } } },
      extensionBundle: { id: 'bundle' },
    };
    const settings = readHostSettings(folder('full', { 'host.json': content }), {});
    expect(settings.functionTimeout).toBeNull();
    expect(settings.logging.logLevel.default).toBe('error');
    expect(settings.extensions).toMatchObject({ http: { routePrefix: '' }, durableTask: { hubName: 'Hub' } });
  });

  it('yields to settings that name its entries', () => {
    const content = { functionTimeout: '00:05:00', extensions: { http: { routePrefix: 'api' } } };
    const settings = readHostSettings(folder('overridden', { 'host.json': content }), {
      AzureFunctionsJobHost__functionTimeout: '00:01:00',
      'azurefunctionsjobhost:logging:logLevel:default': 'Error',
      AzureFunctionsJobHost__extensions__http__routePrefix: '',
      AZUREFUNCTIONSJOBHOST__EXTENSIONS__HTTP__MAXCONCURRENTREQUESTS: '-1',
      AzureFunctionsJobHost__extensions__durableTask__hubName: '12345',
      AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls: '3',
      AzureFunctionsJobHost__extensions__serviceBus__autoCompleteMessages: 'False',
      AzureFunctionsJobHost__extensions__somethingElse: 'x',
    });
    expect(settings).toMatchObject({
      functionTimeout: 60_000,
      logging: { logLevel: { default: 'error' } },
      extensions: {
        http: { routePrefix: '', maxConcurrentRequests: -1 },
        durableTask: { hubName: '12345' },
        serviceBus: { maxConcurrentCalls: 3, autoCompleteMessages: false },
      },
    });
    expect(() =>
      readHostSettings(folder('overridden-wrong', {}), {
        AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls: 'many',
      }),
    ).toThrow('(set by AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls)');
  });

  it.each([
    [{ functionTimeout: 'soon' }, 'no time span'],
    [{ extensions: { serviceBus: { maxConcurrentCalls: 0 } } }, 'extensions.serviceBus.maxConcurrentCalls'],
    [{ logging: { logLevel: { default: 'Loud' } } }, 'no log level'],
    ['{', 'not valid JSON'],
  ])('%j is refused with clear words', (content, words) => {
    const made = folder(`wrong-${words.length}`, { 'host.json': content });
    expect(() => readHostSettings(made, {})).toThrow(words);
  });
});

describe('"main" of package.json', () => {
  it('may be a glob with braces', () => {
    const files = { 'src/main.ts': '', 'src/functions/b.ts': '', 'src/functions/a.ts': '', 'src/other.ts': '' };
    const made = folder('globs', { 'package.json': { main: 'src/{main.ts, functions/*.ts}' }, ...files });
    const found = findEntryFiles(made).map((file) => path.relative(made, file));
    expect(found).toEqual(['src/functions/a.ts', 'src/functions/b.ts', 'src/main.ts']);
  });

  it('must name something', () => {
    expect(() => findEntryFiles(folder('nothing', { 'package.json': { main: 'dist/*.js' } }))).toThrow(
      'no file matches',
    );
    expect(() => findEntryFiles(folder('no-main', { 'package.json': {} }))).toThrow('no "main"');
    expect(() => findEntryFiles(path.join(directory.path, 'absent'))).toThrow('package.json is missing');
  });
});

describe('the body limit', () => {
  it('is that of Azure unless set to a number of bytes', () => {
    expect(readBodyLimit({})).toBe(104_857_600);
    expect(readBodyLimit({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '5' })).toBe(5);
    expect(() => readBodyLimit({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '5MB' })).toThrow('number of bytes');
  });
});
