const MiB = 1024 * 1024;

/** What one fetching of packages may use. Sizes are bytes, durations milliseconds. */
export const packageLimits = {
  manifestBytes: 1 * MiB,
  lockfileBytes: 32 * MiB,
  lockfileEntries: 20_000,
  /** Manifests of one repository that take part. */
  manifests: 2_000,
  /** Packages and moves that are named where all are counted. */
  named: 200,
  /** One tarball, and all of one job together. */
  tarballBytes: 128 * MiB,
  totalBytes: 400 * MiB,
  /** One document about a package's versions, and all of one job together: managers that look at dates ask for whole ones. */
  packumentBytes: 64 * MiB,
  packumentsBytes: 2048 * MiB,
  requests: 25_000,
  requestMs: 60_000,
  redirects: 3,
  resolveMs: 5 * 60_000,
  /** What a manager may keep on disk while it resolves, in its cache and in the project each. */
  resolveBytes: 4096 * MiB,
  concurrent: 8,
} as const;
