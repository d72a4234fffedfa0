import { LIMITS } from '../domain/limits.ts';

export type Wait = { readonly forMs: number; readonly until: 'change' | 'gate' | 'terminal' };

/**
 * `Prefer: wait=N` (RFC 7240 §4.3) with `until=gate|terminal`; undefined when the caller does not want to wait. Preferences
 * that are not understood are passed over, as §2 asks; longer waits than LIMITS.http.waitMs are cut to it.
 */
export function preferredWait(headers: Headers): Wait | undefined {
  const preferences = new Map(
    (headers.get('prefer') ?? '')
      .split(/[,;]/)
      .slice(0, 20)
      .map((part) => part.trim().split('=', 2))
      .map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, '').toLowerCase()]),
  );
  const seconds = preferences.get('wait') ?? '';
  if (!/^\d{1,4}$/.test(seconds) || seconds === '0') return undefined;
  const until = preferences.get('until');
  return {
    forMs: Math.min(Number(seconds) * 1000, LIMITS.http.waitMs),
    until: until === 'gate' || until === 'terminal' ? until : 'change',
  };
}
