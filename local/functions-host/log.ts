/** Levels of the Functions host, least to most severe; `none` silences. */
export const logLevels = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Writes one line: what part of the host (or which function) speaks, and what it says. */
export type Log = (level: LogLevel, source: string, message: string) => void;

/** A log that writes lines at `threshold` or above to stderr; stdout belongs to the ready line alone. */
export function stderrLog(threshold: LogLevel): Log {
  const lowest = logLevels.indexOf(threshold);
  return (level, source, message) => {
    if (logLevels.indexOf(level) < lowest || level === 'none') return;
    process.stderr.write(`${new Date().toISOString()} ${level} ${source} ${oneLine(message)}\n`);
  };
}

/** Any case of a level's name as host.json allows it; undefined when it is none. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const lower = text.toLowerCase();
  return logLevels.find((level) => level === lower);
}

/** A line holds one record, so a stack trace travels with its line breaks escaped; 8,192 characters at most. */
function oneLine(message: string): string {
  const cut = message.length > 8192 ? `${message.slice(0, 8192)}…` : message;
  return cut.replaceAll('\r', '').replaceAll('\n', '\\n');
}
