/** One test as a reporter told it. `said`: of one that failed, the report's words about why, at most SAID characters. */
export type ReportedTest = {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly said?: string;
};
export const SAID = 4_000;

// Markup in the order it must be tried: what may hold a `<` of its own comes first.
const markup =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z_][\w.-]*)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>/g;

/**
 * The test cases of a JUnit XML report, in order; undefined when the text is not one whole report. Reads the elements that
 * matter and nothing else: no entities are expanded, so a hostile report can't grow.
 */
export function readJunit(text: string): ReportedTest[] | undefined {
  const tests: ReportedTest[] = [];
  const open: string[] = [];
  let current: { name: string; outcome: ReportedTest['outcome']; said?: string } | undefined;
  let roots = 0;
  // Behind the opening mark of the element that says why a test failed.
  let said: number | undefined;
  for (const { 0: mark, 1: closing, 2: element, 3: attributes = '', 4: empty, index } of text.matchAll(markup)) {
    if (element === undefined) continue;
    if (closing === '/') {
      if (open.pop() !== element) return undefined;
      if (current !== undefined && said !== undefined && isFailure(element)) {
        current.said = `${current.said ?? ''}\n${plain(text.slice(said, Math.min(index, said + SAID)))}`.slice(0, SAID);
        said = undefined;
      }
      if (element === 'testcase' && current !== undefined) {
        tests.push(current);
        current = undefined;
      }
      continue;
    }
    if (open.length === 0) roots += 1;
    if (element === 'testcase')
      current = {
        name: attribute(attributes, 'classname') + attribute(attributes, 'name'),
        // GoogleTest says of a disabled test that it was not run, and of no other.
        outcome: /^(?:notrun|disabled)\0$/.test(attribute(attributes, 'status')) ? 'skipped' : 'passed',
      };
    else if (current !== undefined && isFailure(element)) {
      current.outcome = 'failed';
      const message = attribute(attributes, 'message').slice(0, -1);
      current.said = `${current.said ?? ''}\n${plain(message.slice(0, SAID))}`.slice(0, SAID);
      said = index + mark.length;
    } else if (current !== undefined && element === 'skipped' && current.outcome === 'passed')
      current.outcome = 'skipped';
    if (empty !== '/') open.push(element);
    else if (element === 'testcase' && current !== undefined) {
      tests.push(current);
      current = undefined;
    }
  }
  return open.length === 0 && roots === 1 ? tests : undefined;
}

const isFailure = (element: string): boolean => element === 'failure' || element === 'error';

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", '#10': '\n', amp: '&' };

/** Character data as it reads: the predefined entities (XML 1.0 §4.6) and the line feed that attributes hold, and no others. */
const plain = (text: string): string =>
  text.replaceAll(
    /<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|&(lt|gt|quot|apos|#10|amp);/g,
    (_, data: string | undefined, name: string) => data ?? ENTITIES[name] ?? '',
  );

function attribute(attributes: string, name: string): string {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes);
  return `${match?.[1] ?? match?.[2] ?? ''}\u0000`;
}
