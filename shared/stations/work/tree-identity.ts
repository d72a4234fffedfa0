import { type Digest, parseDigest } from '../../domain/digest.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { surveyTree, type TreeSurvey } from '../../sandbox/git/tree-survey.ts';

/** A tree by both of its names: git's, and the SHA-256 over its contents that approvals bind. */
export type TreeIdentity = { readonly gitTree: TreeId; readonly tree: Digest };

/** A tree's identity, and what of it is only carried along. */
export type SurveyedTree = { readonly identity: TreeIdentity; readonly survey: TreeSurvey };

export async function surveyedTree(repository: string, gitTree: TreeId, signal: AbortSignal): Promise<SurveyedTree> {
  const survey = await surveyTree({ repository, tree: gitTree, signal });
  const tree = parseDigest(`sha256:${survey.delivered}`);
  if (tree === undefined) throw new TypeError(`a tree digest has 64 hexadecimal digits, this is ${survey.delivered}`);
  return { identity: { gitTree, tree }, survey };
}

export async function treeIdentity(repository: string, gitTree: TreeId, signal: AbortSignal): Promise<TreeIdentity> {
  return (await surveyedTree(repository, gitTree, signal)).identity;
}
