export interface PlaceLimits {
  /** Requests served at once; -1 for no limit. */
  readonly total: number;
  /** How many of them only the functions named may take. */
  readonly reserved: number;
  readonly reservedFor: ReadonlySet<string>;
}

/** Places for requests that are served at once, some of them kept for functions without which nothing goes on. */
export interface Places {
  /**
   * Takes one; undefined when there is none for this function. A request whose body is still to come takes one of a
   * quarter of them. What it answers gives the place back, once.
   */
  take(functionName: string, whole: boolean): (() => void) | undefined;
}

export function openPlaces({ total, reserved, reservedFor }: PlaceLimits): Places {
  const forPartial = Math.ceil(total / 4);
  let taken = 0;
  let partial = 0;
  return {
    take(functionName, whole) {
      const open = reservedFor.has(functionName) ? total : total - reserved;
      if (total >= 0 && (taken >= open || (!whole && partial >= forPartial))) return undefined;
      taken++;
      if (!whole) partial++;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        taken--;
        if (!whole) partial--;
      };
    },
  };
}
