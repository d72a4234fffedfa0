/** Every limit of the plane, in one place. Sizes are bytes, durations milliseconds unless a name says otherwise. */
const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const LIMITS = {
  http: {
    jsonBodyBytes: 1 * MiB,
    /** Of a body with a packet in it. */
    packetBodyBytes: 3 * MiB + 64 * KiB,
    jsonDepth: 32,
    pageItems: 100,
    waitMs: 30 * SECOND,
    waitersPerPrincipal: 32,
    waitersPerInstance: 512,
    /** Calls that work at once, and calls of one identity that are open at once, in one process. */
    callsAtOnce: 128,
    callsPerPrincipal: 256,
    /** Of the host's places for requests on one machine, those that only vital routes may take. */
    vitalPlaces: 100,
    idempotencyKeyLength: 200,
    idempotencyAnswerMs: 1 * DAY,
  },
  packet: {
    /** Of a packet without its patch. */
    bytes: 256 * KiB,
    /** Of a document with a patch in it, whose signs JSON may write with two to six of its own. */
    documentBytes: 3 * MiB,
    /** Of a patch itself. */
    patchBytes: 1 * MiB,
    depth: 12,
    listItems: 100,
    textLength: 8_000,
    globLength: 256,
  },
  blueprint: { nodes: 1_000, needs: 64, rounds: 5, attempts: 10, fanOut: 1_000, cases: 16 },
  request: { overallMs: 7 * DAY, openPerApplication: 10_000, answerLength: 8_000 },
  job: {
    leaseMs: 30 * SECOND,
    minimumLeaseMs: 1 * SECOND,
    hintIntervalMs: 30 * SECOND,
    outcomeBytes: 32 * KiB,
    outputs: 64,
    retryDelayMs: 1 * HOUR,
    equalSignatures: 3,
    /** Lost workers, and machines too busy for a check, that a job survives beyond its line's attempts: they say little of the work. */
    lostWorkers: 4,
    concurrentPerPool: 256,
  },
  approval: { expiryMs: 3 * DAY, reasonLength: 2_000 },
  effect: { actMs: 2 * MINUTE, lookMs: 10 * MINUTE, jobMs: 3 * HOUR },
  deployment: {
    planBytes: 16 * MiB,
    answerBytes: 64 * MiB,
    askMs: 10 * MINUTE,
    callMs: 2 * MINUTE,
    calls: 600,
    repeats: 8,
    pauseMs: 1 * SECOND,
    pollMs: 5 * SECOND,
    settleMs: 1 * MINUTE,
  },
  artifact: {
    bytes: 512 * MiB,
    chunkBytes: 8 * MiB,
    inlineBytes: 64 * KiB,

    uploadsPerJob: 128,
    uploadMs: 1 * DAY,
  },
  access: {
    delegations: 100,
  },
  defect: { summaryLength: 2_000, perRequest: 100 },
  cost: { priceTableLength: 4_096 },
  outbox: { batch: 200, claimMs: 8 * SECOND, drainMs: 300, attempts: 100, maximumBackoffMs: 1 * MINUTE },
  sweep: { batch: 200, heartbeatGapMs: 15 * SECOND },
  orchestrator: { turns: 50 },
  telemetry: {
    spans: 2_048,
    batch: 512,
    delayMs: 1 * SECOND,
    exportMs: 30 * SECOND,
    stopMs: 3 * SECOND,
    valueLength: 256,
    gauges: 200,
    fileBytes: 8 * MiB,
    files: 4,
  },
  audit: { eventBytes: 16 * KiB },
  source: { packBytes: 512 * MiB, blobBytes: 64 * MiB, entries: 100_000, fetchMs: 5 * MINUTE },
} as const;
