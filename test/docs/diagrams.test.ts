import { describe, expect, it } from 'vitest';
import { approvalMachine } from '../../shared/domain/approval/machine.ts';
import { effectMachine } from '../../shared/domain/effect/machine.ts';
import { installationMachine } from '../../shared/domain/installation/machine.ts';
import { jobMachine } from '../../shared/domain/job/machine.ts';
import type { Machine } from '../../shared/domain/machine.ts';
import { nodeMachine } from '../../shared/domain/node/machine.ts';
import { requestMachine } from '../../shared/domain/request/machine.ts';
import { document, filesBelow, section } from './documents.ts';

const machines: readonly Machine<string, string>[] = [
  requestMachine,
  nodeMachine,
  jobMachine,
  approvalMachine,
  effectMachine,
  installationMachine,
];
const machinesText = section(document('architecture.md'), '## State machines');

/** The arrows of a Mermaid state diagram as text; a line that is no arrow is a fault of the diagram. */
function drawn(name: string): readonly string[] {
  const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(section(machinesText, `### ${name}`))?.[1];
  if (diagram === undefined) throw new Error(`the section ${name} has no state diagram`);
  return diagram
    .trimEnd()
    .split('\n')
    .map((line) => {
      const arrow = /^ {2}(\[\*\]|\w+) --> (\[\*\]|\w+)(?:: (\w+))?$/.exec(line);
      if (arrow === null) throw new Error(`"${line}" in the diagram of ${name} is no arrow`);
      return `${arrow[1]} --> ${arrow[2]}${arrow[3] === undefined ? '' : `: ${arrow[3]}`}`;
    });
}

function tabled({ initial, table }: Machine<string, string>): readonly string[] {
  const arrows = Object.entries(table).flatMap(([from, events]) => {
    const out = Object.entries(events).map(([event, to]) => `${from} --> ${to}: ${event}`);
    return out.length === 0 ? [`${from} --> [*]`] : out;
  });
  return [`[*] --> ${initial}`, ...arrows];
}

describe('the state diagrams', () => {
  it.each(machines)('show what the table of $name has, and nothing else', (machine) => {
    const arrows = drawn(machine.name);
    expect(new Set(arrows).size).toBe(arrows.length);
    expect([...arrows].sort()).toEqual([...tabled(machine)].sort());
  });

  it('are there for every machine', () => {
    const folders = filesBelow('shared/domain', 'machine.ts').filter((file) => file.split('/').length === 4);
    expect(machines.map(({ name }) => name).sort()).toEqual(folders.map((file) => file.split('/')[2]).sort());
    const headings = [...machinesText.matchAll(/^### (\w+)$/gm)].map((match) => match[1]);
    expect(headings.sort()).toEqual(machines.map(({ name }) => name).sort());
  });
});
