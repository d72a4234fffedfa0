import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDeployments } from '../../scripts/torture/traffic/deployments.ts';
import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
import { beginDeployment } from '../../shared/effects/azure-deployments/stack.ts';
import { environment, parameters, template } from '../effects/deployment-fixture.ts';
import { signedIn } from '../effects/stack-arm.ts';

test('a deployment that was begun twice, or never, is counted where it happened', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'factory-deployments-'));
  const deployments = await openDeployments(directory);
  onTestFinished(async () => {
    await deployments.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const arm = armAt(deployments.environment['FACTORY_RESOURCE_MANAGER_URL'] ?? '', signedIn);
  for (const request of ['req_once', 'req_twice', 'req_twice'])
    await beginDeployment(
      arm,
      environment,
      { template, parameters },
      `plan x for ${request}`,
      new AbortController().signal,
    );
  expect(deployments.faults(['req_once', 'req_twice', 'req_never'])).toEqual([
    'I14 req_twice: its deployment was begun 2 times',
    'I14 req_never: its deployment was begun 0 times',
  ]);
});
