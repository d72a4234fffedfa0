import { parseId } from '../../domain/ids.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import { revealed } from '../../domain/text/hidden.ts';

/** What a commit and a pull request are called, from packet text that may hold anything. */
export type DeliveredText = {
  readonly title: string;
  readonly commitMessage: string;
};

const TITLE_LENGTH = 72;

/**
 * Depends on its arguments alone, so that an effector that takes over writes the very same commit: that is what lets it recognise the
 * work of the one that died.
 */
export function deliveredText(
  packet: Packet,
  change: { readonly request: string; readonly tree: string; readonly evidence: string },
): DeliveredText {
  const title = titleOf(packet.goal);
  const commitMessage = [
    title,
    '',
    `Factory-Request: ${change.request}`,
    `Factory-Tree: ${change.tree}`,
    `Factory-Evidence: ${change.evidence}`,
    '',
  ].join('\n');
  return { title, commitMessage };
}

/** When a request was made, to the second, from its id: the date of its commit. */
export function requestTime(request: string): Date {
  const id = parseId('request', request);
  if (id === undefined) throw new Error(`${request.slice(0, 64)} is not the id of a request`);
  return new Date(Math.floor(Number.parseInt(id.slice(4, 13), 36) / 1_000) * 1_000);
}

function titleOf(goal: string): string {
  const line = (goal.split('\n').find((each) => each.trim() !== '') ?? '').replace(/[\t\n\f\r ]+/g, ' ');
  const shown = revealed(line).trim();
  const characters = [...shown];
  return characters.length <= TITLE_LENGTH ? shown : `${characters.slice(0, TITLE_LENGTH - 1).join('')}…`;
}
