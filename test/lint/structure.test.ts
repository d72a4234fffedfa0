import { describe, expect, it } from 'vitest';
import { checkArrows } from '../../scripts/lint/arrows.ts';
import { checkCrossings } from '../../scripts/lint/crossings.ts';
import { checkImportsByName } from '../../scripts/lint/imports-by-name.ts';
import { sourceOf } from '../../scripts/lint/sources.ts';

const faults = (path: string, text: string): string[] => checkArrows([sourceOf(path, text)]);

describe('the arrows', () => {
  it.each([
    ['shared/domain/ids.ts', `import { readFileSync } from 'node:fs';`, 'imports the package node:fs'],
    [
      'shared/domain/request/x.ts',
      `import { advance } from '../../line/advance.ts';`,
      'imports shared/line/advance.ts',
    ],
    ['shared/line/walk.ts', `import { rows } from '../store/command.ts';`, 'imports shared/store/command.ts'],
    [
      'functions/control/orchestrators/request.ts',
      `import { plane } from '../plane.ts';`,
      'imports functions/control/plane.ts',
    ],
    [
      'functions/station/index.ts',
      `import { plane } from '../control/plane.ts';`,
      'imports functions/control/plane.ts',
    ],
    ['shared/stations/plan.ts', `import { one } from '../store/command.ts';`, 'a worker never touches the database'],
    ['shared/jobs/claim.ts', `import { up } from '../../cli/up.ts';`, 'imports cli/up.ts'],
    [
      'local/functions-host/host.ts',
      `import { LIMITS } from '../../shared/domain/limits.ts';`,
      'imports shared/domain/limits.ts',
    ],
  ])('refuse %s what is not its to import', (path, text, words) => {
    expect(faults(path, `${text}\n`)).toEqual([expect.stringContaining(words)]);
  });

  it('see imports that go over several lines', () => {
    expect(faults('shared/domain/ids.ts', `import {\n  a,\n  b,\n} from '../store/x.ts';\n`)).toHaveLength(1);
  });

  it('let types through where only values would couple', () => {
    expect(faults('shared/domain/ids.ts', `import type { Stats } from 'node:fs';\n`)).toEqual([]);
  });

  it('report a cycle once', () => {
    const a = sourceOf('shared/jobs/a.ts', `import { b } from './b.ts';\n`);
    const b = sourceOf('shared/jobs/b.ts', `import { a } from './a.ts';\n`);
    expect(checkArrows([a, b])).toEqual(['import cycle: shared/jobs/a.ts → shared/jobs/b.ts → shared/jobs/a.ts']);
  });
});

describe('crash points', () => {
  it('are asked for around every commit and send', () => {
    expect(checkCrossings([sourceOf('shared/outbox/x.ts', 'await sender.sendMessages(batch);\n')])).toHaveLength(1);
    expect(
      checkCrossings([
        sourceOf('shared/outbox/x.ts', `await crossing('outbox.send', () => sender.sendMessages(batch));\n`),
      ]),
    ).toEqual([]);
  });
});

describe('imports by name', () => {
  it('that fail at load are refused, and their types are not', () => {
    expect(
      checkImportsByName([sourceOf('functions/x.ts', `import { app, HttpResponse } from '@azure/functions';\n`)]),
    ).toHaveLength(1);
    expect(
      checkImportsByName([sourceOf('functions/x.ts', `import { app, type HttpResponse } from '@azure/functions';\n`)]),
    ).toEqual([]);
  });
});
