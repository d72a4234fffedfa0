import { revealed } from '../../domain/text/hidden.ts';

const UNIT = '(?:ns|[µu]s|ms|s|sec(?:onds?)?|m|min)';

/**
 * What stands in a test's name and is not the test: how long it took, which worker ran it, where an object lay or a server listened this
 * time. Parameters and their indices stay: `[0]` and `[1]`, `#1` and `#2` are two tests. What falls together all the same is counted.
 */
const NOT_IDENTITY: readonly (readonly [RegExp, string])[] = [
  // Vitest's TAP: `# time=12.34ms`; others `# 12ms`, `# duration_ms 3`.
  [new RegExp(`\\s+#\\s*(?:(?:time|duration(?:_ms)?)\\s*[=:]?\\s*)?[\\d.,]+\\s*${UNIT}?\\s*$`, 'i'), ''],
  // Jest: `(12 ms)`; Go: `(0.01s)`; others `[12ms]`, `took 3 s`.
  [new RegExp(`\\s*(?:\\((?:took\\s+)?[\\d.,]+\\s*${UNIT}\\)|\\[(?:took\\s+)?[\\d.,]+\\s*${UNIT}\\])\\s*$`, 'i'), ''],
  // pytest-xdist's workers and progress.
  [/^\[gw\d+\]\s*/, ''],
  [/^\[\s*\d+%\]\s*/, ''],
  [/\b0x[0-9a-f]{6,16}\b/gi, '0x…'],
  [/\b(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{2,5}\b/g, '$1:…'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '…'],
];

/** The name that a test is known by from one run to the next; its parts (file, suite, title) stay apart by NUL. */
export function testIdentity(name: string): string {
  const plain = (part: string): string =>
    NOT_IDENTITY.reduce((text, [pattern, instead]) => text.replace(pattern, instead), part).trim();
  return name.split('\0').map(plain).join('\0');
}

/** A test's name as people read it: its parts in one line, hidden characters made visible, at most 300 characters. */
export function testTitle(name: string): string {
  const parts = testIdentity(name).split('\0');
  return revealed(parts.filter((part) => part !== '').join(' › ')).slice(0, 300);
}
