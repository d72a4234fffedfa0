import type { ApplicationDeclaration } from '../application/declaration.ts';
import type { Facts } from '../job/outcome.ts';
import type { Packet } from '../packet/schema.ts';
import { deceptiveInPacket, placesInWords } from '../text/deceptive.ts';
import { CONCERNS, type Concern } from './concern.ts';
import { MEANING_OF_CLASS, type PathClass, pathClassifier, TIER_OF_CLASS } from './path-class.ts';
import { higher, type Risk, type RiskReason, type RiskTier } from './tier.ts';

/** Earlier changes to the same application and line, and how many of them turned out wrong afterwards. */
export type ChangeHistory = { readonly changes: number; readonly defects: number };

export type RiskInputs = {
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  /** Measured by the planning worker (what is meant to change) or by the verifier (what did). */
  readonly facts: Facts;
  readonly history?: ChangeHistory;
};

/** Where one tier ends and the next begins. */
const BOUNDS = {
  /** Lines added and removed. */
  lines: { medium: 100, high: 800 },
  files: { medium: 10, high: 50 },
  importers: { medium: 5, high: 25 },
  /** Share of defects among earlier changes, once there are enough of them to speak of a share. */
  defects: { enough: 5, medium: 0.1, high: 0.25 },
  examples: 3,
} as const;

/**
 * The risk of a change and every reason for it: the tier is the highest of the reasons'. Computed in code from measured facts; a
 * packet can raise it and nothing can lower it. Adding a path to known paths never lowers the tier.
 */
export function assessRisk(inputs: RiskInputs): Risk {
  const reasons = [
    ...pathReasons(inputs),
    ...sizeReasons(inputs.facts),
    ...reachReasons(inputs.facts),
    ...concernReasons(inputs.facts),
    ...deceptionReasons(inputs),
    ...historyReasons(inputs.history),
    ...statedReasons(inputs),
  ];
  return { tier: reasons.reduce<RiskTier>((tier, reason) => higher(tier, reason.tier), 'low'), reasons };
}

function pathReasons({ declaration, facts }: RiskInputs): RiskReason[] {
  const paths = [...new Set([...facts.paths, ...facts.manifests, ...facts.testPaths])];
  if (paths.length === 0) {
    return facts.pathCount === 0
      ? [{ signal: 'nothing_changes', tier: 'low', because: 'No file changes.' }]
      : [{ signal: 'paths_unknown', tier: 'medium', because: 'It is not known which files change.' }];
  }
  const classOf = pathClassifier(declaration, facts.testPaths);
  const found = new Map<PathClass, string[]>();
  for (const path of paths) {
    const kind = classOf(path);
    found.set(kind, [...(found.get(kind) ?? []), path].slice(0, BOUNDS.examples + 1));
  }
  if (facts.manifests.length > 0 && !found.has('manifest')) found.set('manifest', [...facts.manifests]);
  const reasons = [...found].map(
    ([kind, examples]): RiskReason => ({
      signal: `path_${kind}`,
      tier: tierOf(kind, declaration),
      because: `It changes ${MEANING_OF_CLASS[kind]}: ${list(examples)}.`,
    }),
  );
  if ((facts.pathCount ?? 0) > paths.length)
    reasons.push({
      signal: 'paths_unseen',
      tier: 'high',
      because: `Of ${facts.pathCount} files only ${paths.length} are named; the others were not classified.`,
    });
  return reasons;
}

/** An application that checks its migrations has data behind them. */
function tierOf(kind: PathClass, declaration: ApplicationDeclaration): RiskTier {
  return kind === 'migration' && declaration.checks.some((check) => check.kind === 'migration')
    ? 'critical'
    : TIER_OF_CLASS[kind];
}

const list = (paths: readonly string[]): string =>
  paths.slice(0, BOUNDS.examples).join(', ') + (paths.length > BOUNDS.examples ? ' and more' : '');

function sizeReasons(facts: Facts): RiskReason[] {
  const reasons: RiskReason[] = [];
  const files = Math.max(facts.pathCount ?? 0, facts.paths.length);
  const filesTier = above(files, BOUNDS.files);
  if (filesTier !== 'low')
    reasons.push({ signal: 'many_files', tier: filesTier, because: `It changes ${files} files.` });
  if (facts.linesAdded === undefined || facts.linesRemoved === undefined) {
    if (facts.pathCount !== 0)
      reasons.push({ signal: 'size_unknown', tier: 'medium', because: 'The number of changed lines is not known.' });
  } else {
    const lines = facts.linesAdded + facts.linesRemoved;
    const linesTier = above(lines, BOUNDS.lines);
    if (linesTier !== 'low')
      reasons.push({ signal: 'many_lines', tier: linesTier, because: `It changes ${lines} lines.` });
  }
  if ((facts.binaryFiles ?? 0) > 0)
    reasons.push({
      signal: 'binary_files',
      tier: 'medium',
      because: `It changes ${facts.binaryFiles} binary file(s), which nobody can read in a diff.`,
    });
  return reasons;
}

function reachReasons(facts: Facts): RiskReason[] {
  const reasons: RiskReason[] = [];
  const importersTier = above(facts.importers ?? 0, BOUNDS.importers);
  if (importersTier !== 'low')
    reasons.push({
      signal: 'blast_radius',
      tier: importersTier,
      because: `${facts.importers} other files import what changes.`,
    });
  if (facts.coverage === 'unknown')
    reasons.push({
      signal: 'coverage_unknown',
      tier: 'medium',
      because: 'It is not known whether tests run the changed lines.',
    });
  if (facts.sandbox === 'process')
    reasons.push({
      signal: 'no_isolation',
      tier: 'medium',
      because: 'It was checked without isolation, so the receipt is not independent of the code.',
    });
  const version = facts.versionChange;
  if (version === 'major' || version === 'unknown') {
    const because =
      version === 'major'
        ? 'A package changes its major version, which may break its callers.'
        : 'A package changes to a version that could not be compared.';
    reasons.push({ signal: 'version_change', tier: 'high', because });
  } else if (version === 'minor' || version === 'patch') {
    reasons.push({ signal: 'version_change', tier: 'medium', because: `A package changes its ${version} version.` });
  }
  return reasons;
}

function concernReasons({ concerns = [] }: Facts): RiskReason[] {
  return concerns.map(({ kind, detail }: Concern) => ({
    signal: kind,
    tier: CONCERNS[kind].tier,
    because: detail === '' ? `${CONCERNS[kind].because}.` : `${CONCERNS[kind].because}: ${detail.replace(/\.$/, '')}.`,
  }));
}

/** What the packet alone shows before a worker has measured the change; the change itself says it more exactly. */
function deceptionReasons({ packet, facts }: RiskInputs): RiskReason[] {
  if (facts.concerns?.some(({ kind }) => kind === 'hidden_characters') === true) return [];
  const places = deceptiveInPacket(packet);
  const { tier, because } = CONCERNS.hidden_characters;
  return places.length === 0
    ? []
    : [{ signal: 'hidden_characters', tier, because: `${because}: ${placesInWords(places).slice(0, 500)}.` }];
}

function historyReasons(history: ChangeHistory | undefined): RiskReason[] {
  if (history === undefined || history.changes < BOUNDS.defects.enough) return [];
  const tier = above(history.defects / history.changes, BOUNDS.defects);
  return tier === 'low'
    ? []
    : [
        {
          signal: 'history',
          tier,
          because: `${history.defects} of ${history.changes} earlier changes of this kind turned out wrong.`,
        },
      ];
}

function statedReasons({ packet }: RiskInputs): RiskReason[] {
  const reasons: RiskReason[] = [];
  const stated = packet.risk?.atLeast ?? 'low';
  if (packet.output.format === 'deployment')
    reasons.push({
      signal: 'deployment',
      tier: 'high',
      because: 'It changes a running environment, which no branch keeps apart.',
    });
  const exceptions = packet.risk?.securityExceptions ?? [];
  if (stated !== 'low')
    reasons.push({ signal: 'stated_by_packet', tier: stated, because: `The packet asks for at least ${stated}.` });
  if (exceptions.length > 0)
    reasons.push({
      signal: 'security_exception',
      tier: 'critical',
      because: `The packet asks for ${exceptions.length} exception(s) from security rules.`,
    });
  return reasons;
}

/** The tier of a figure: a bound itself still belongs below. */
function above(figure: number, bounds: { readonly medium: number; readonly high: number }): RiskTier {
  if (figure > bounds.high) return 'high';
  return figure > bounds.medium ? 'medium' : 'low';
}
