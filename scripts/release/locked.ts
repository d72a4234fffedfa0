/** Packages of a lockfile (version 3) by their place. */
export type LockedPackages = Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
