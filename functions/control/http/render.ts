/** A time of the store as the API writes times (RFC 3339, UTC). */
export const iso = (at: number): string => new Date(at).toISOString();
export const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

/** JSON that was recorded by the plane itself. */
export const recorded = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));
