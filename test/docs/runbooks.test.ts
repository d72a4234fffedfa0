import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.ts';
import { pathOf, type Route } from '../../functions/control/http/route.ts';
import { ROUTES } from '../../functions/control/http/routes.ts';
import { CONTROL_SETTINGS } from '../../shared/config/control.ts';
import { WORKER_SETTINGS } from '../../shared/config/worker.ts';
import { code, document, filesBelow, root, section, tableRows } from './documents.ts';

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const pages = filesBelow('docs/runbooks', '.md');
const infra = filesBelow('infra', '.sh', '.bicep', '.md').map(read).join('\n');

/** The lines of a page that are commands: of its shell blocks, of the transcripts, and what is in code font. Comments are left out. */
function commandsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, shell = '']) =>
    shell.replaceAll(/\\\n\s*/g, ' ').split('\n'),
  );
  const typed = [...text.matchAll(/^\$ (.*)$/gm)].map(([, line = '']) => line);
  const inline = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, line = '']) => line);
  return [...blocks, ...typed, ...inline].map((line) => line.replace(/\s#.*$/, '').trim());
}

/** The words of each call of a program in a line, up to what ends a command of the shell. */
function calls(line: string, program: RegExp): readonly (readonly string[])[] {
  const found = line.matchAll(new RegExp(`(?:^|[\\s($;&|])(${program.source})(?=[\\s)"]|$)([^|;&)]*)`, 'g'));
  return [...found].map(([, name = '', rest = '']) => [
    name,
    ...[...rest.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word),
  ]);
}

const optionsOf = (words: readonly string[]): readonly string[] => words.filter((word) => /^--[a-z]/.test(word));

/** What is wrong with a call of the command line; undefined when nothing is. */
function faultOf([, ...words]: readonly string[]): string | undefined {
  const program = buildProgram();
  let command: Command = program;
  let rest = words;
  const takes = (name: string) =>
    [...command.options, ...program.options].find((option) => option.long === name || option.short === name);
  while (rest[0]?.startsWith('--')) rest = rest.slice(takes(rest[0])?.required ? 2 : 1);
  for (;;) {
    const next: Command | undefined = command.commands.find((each) => each.name() === rest[0]);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  if (command === program || command.commands.length > 0) return `there is no command ${words.join(' ')}`;
  const unknown = optionsOf(rest).find((name) => takes(name) === undefined);
  return unknown === undefined ? undefined : `${command.name()} has no option ${unknown}`;
}

describe.each(pages)('%s', (page) => {
  const text = read(page);
  const commands = commandsOf(text);
  const all = (program: RegExp) => commands.flatMap((line) => calls(line, program));

  it('calls commands of the command line that there are, with options they have', () => {
    // "factory …" alone speaks of the program, and "factory -- "$@"" hands everything on to it.
    for (const call of all(/factory/).filter(([, first = '--']) => first !== '--' && /^[a-z-]/.test(first)))
      expect(faultOf(call), call.join(' ')).toBeUndefined();
  });

  it('calls scripts of the landing zone that there are, with options they have', () => {
    for (const [script = '', ...words] of all(/infra\/scripts\/[a-z]+\.sh/)) {
      expect(existsSync(path.join(root, script)), script).toBe(true);
      if (optionsOf(words).length === 0) continue;
      const help = spawnSync('bash', [path.join(root, script), '--help'], { encoding: 'utf8' }).stdout;
      for (const option of optionsOf(words)) expect(help, `${script} ${option}`).toContain(option);
    }
  });

  it('calls npm scripts and programs of the repository that there are', () => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
    for (const [, run, ...words] of all(/npm/).filter(([, verb]) => verb === 'run')) {
      const name = words.find((word) => !word.startsWith('-'));
      expect(scripts, `npm ${run} ${words.join(' ')}`).toContain(name);
    }
    for (const [, file = '', ...words] of all(/node/)) {
      expect(existsSync(path.join(root, file)), file).toBe(true);
      for (const option of optionsOf(words)) expect(read(file), `${file} ${option}`).toContain(option);
    }
  });

  it('calls routes that there are', () => {
    const fits = (method: string, at: string) => (route: Route) => {
      const pattern = pathOf(route).split('/');
      const parts = at.split('/');
      return (
        route.method === method &&
        pattern.length === parts.length &&
        pattern.every((part, index) =>
          part.startsWith('{') ? /^(\$\w+|[a-z]+)$/.test(parts[index] ?? '') : part === parts[index],
        )
      );
    };
    for (const line of commands)
      for (const [, at = '', rest = ''] of line.matchAll(/\bcurl -s "?\$API([^\s"?]*)(.*)$/g)) {
        const method = /\s-X (\w+)/.exec(rest)?.[1] ?? (/\s-d /.test(rest) ? 'POST' : 'GET');
        if (at.includes('claim')) continue; // a worker's call, shown cut short as a transcript
        expect(ROUTES.filter(fits(method, `/api/v1${at}`)), `${method} ${at}`).toHaveLength(1);
      }
  });

  it('sends bodies that the routes take', () => {
    for (const line of commands)
      for (const [, at = '', body = ''] of line.matchAll(/\$API(\/[^\s"]*).* -d '(\{.*\})'/g)) {
        const anchor = JSON.stringify({ sequence: 1, digest: `sha256:${'0'.repeat(64)}` });
        const json = JSON.parse(body.replaceAll("'$ANCHOR'", anchor)) as unknown;
        const last = at.split('/').at(-1) ?? '';
        const route = ROUTES.find((one) => one.method === 'POST' && one.path.endsWith(`/${last}`));
        expect(route?.body?.safeParse(json).success, `${at} ${body}`).toBe(true);
      }
  });

  it('names settings, alerts, metrics, outputs and codes that there are', () => {
    const settings = new Set<string>([...CONTROL_SETTINGS, ...WORKER_SETTINGS]);
    for (const [name] of text.matchAll(/\bFACTORY_[A-Za-z_]+/g))
      expect(settings.has(name) || new RegExp(`\\b${name}\\b`).test(infra), name).toBe(true);
    for (const [, name = ''] of text.matchAll(/\balert-([a-z-]+)/g))
      expect(infra.includes(`name: '${name}'`) || infra.includes(`name: 'alert-${name}'`), `alert-${name}`).toBe(true);
    const metrics = tableRows(section(document('telemetry.md'), '## Metrics')).map(([name]) => code(name));
    for (const [, name = ''] of text.matchAll(/`(factory\.[a-z.]+)`/g)) expect(metrics).toContain(name);
    for (const [, name = ''] of text.matchAll(/\boutput ([A-Z_]+)/g)) expect(infra).toContain(`output ${name} `);
    for (const [, name = ''] of text.matchAll(/\b(FACTORY(?:-[A-Z]+)+)\b/g))
      expect(document('api.md'), name).toContain(`| \`${name}\` |`);
  });
});

it('every situation has its five parts and is in the list', () => {
  const list = read('docs/runbooks/README.md');
  for (const page of pages.filter((name) => !name.endsWith('README.md'))) {
    expect(list).toContain(`](${path.basename(page)})`);
    expect([...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
      'When and who',
      'Do',
      'What you should see',
      'How to go back',
      'What proves it',
    ]);
  }
});

it('commands are found on the pages', () => {
  const lines = pages.flatMap((page) => commandsOf(read(page)));
  const found = (program: RegExp) => lines.flatMap((line) => calls(line, program)).length;
  expect(found(/factory/)).toBeGreaterThan(40);
  expect(found(/infra\/scripts\/[a-z]+\.sh/)).toBeGreaterThan(20);
  expect(lines.filter((line) => line.includes('curl -s ')).length).toBeGreaterThan(15);
});

it('what is wrong with a command is found', () => {
  const fault = (line: string) => calls(line, /factory/).map(faultOf);
  expect(fault('factory audit verify audit.jsonl --anchors DIR')).toEqual([undefined]);
  expect(fault('X=$(factory --as operator token)')).toEqual([undefined]);
  expect(fault('factory audit verify audit.jsonl --anchor DIR')).toEqual(['verify has no option --anchor']);
  expect(fault('factory jobs drain')).toEqual(['there is no command jobs drain']);
  expect(fault('factory restore')).toEqual(['there is no command restore']);
});
