/**
 * What a sandbox driver is. A driver runs one program against a few mounted directories, ends it at its limits, and reports
 * what it saw; it never judges the program. Everything in {@link SandboxIdentity} goes into evidence.
 */

export type SandboxKind = 'bubblewrap' | 'process' | 'sessions';

/** `none` means that the program could read and change whatever the worker can: evidence has to say so. */
export type Isolation = 'isolated' | 'none';

/**
 * What bounds memory and processes. `cgroup`: the kernel, over the sandbox as a whole. `rlimit`: the kernel process by
 * process, and the whole by looking at it many times a second.
 */
export type LimitKind = 'cgroup' | 'rlimit';

/** A host directory or file made visible at an absolute path inside. Never `/`. */
export type Mount = {
  readonly source: string;
  readonly target: string;
  readonly mode: 'read-only' | 'read-write';
};

/** Programs of this machine that a run may use besides what every run has: seen read-only, at the path they have outside. */
export type RunTools = {
  /** Directories that come first in PATH, before the driver's own. */
  readonly path: readonly string[];
  /** Files and directories that are mounted; what lies below `/usr` is there anyway. */
  readonly directories: readonly string[];
};

export type SandboxLimits = {
  /** From start to the whole tree being killed. */
  readonly wallMs: number;
  /** Processor seconds of one process (RLIMIT_CPU). */
  readonly cpuSeconds: number;
  /** Private and shared-memory bytes in use by all processes of the sandbox together; looked at many times a second. */
  readonly memoryBytes: number;
  /** Processes and threads alive at once (RLIMIT_NPROC). */
  readonly processes: number;
  /** Size of one written file (RLIMIT_FSIZE). */
  readonly fileBytes: number;
  /** Open files of one process (RLIMIT_NOFILE). */
  readonly openFiles: number;
  /** Kept bytes of standard output, and as many of standard error. What comes after is dropped and `outputTruncated` set. */
  readonly outputBytes: number;
  /** What a program may keep in one read-write mount, by blocks on disk. Looked at while it runs. */
  readonly diskBytes: number;
};

export type SandboxRun = {
  readonly argv: readonly [string, ...string[]];
  /** A path inside the sandbox. */
  readonly workingDirectory: string;
  readonly mounts: readonly Mount[];
  readonly tools?: RunTools | undefined;
  /** The whole environment, besides PATH, HOME, TMPDIR and LANG, which the driver sets unless given. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly stdin?: Uint8Array;
  readonly signal?: AbortSignal;
};

/** Which limit of the driver's own ended the program; limits that the kernel enforces show as a signal or an error inside. */
export type EndedBy = 'itself' | 'wall' | 'memory' | 'output' | 'disk' | 'cancelled' | 'stopped';

export type SandboxResult = {
  /** `null` when no exit code was seen (killed by the driver). bubblewrap reports death by signal n as 128 + n. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly endedBy: EndedBy;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly outputTruncated: boolean;
  readonly durationMs: number;
};

/** A program that keeps running while others talk to it (a holdout's program under test). */
export type SandboxHandle = {
  /** Kills the whole tree and waits for its end; harmless to call again. */
  stop(): Promise<SandboxResult>;
  /** Settles when no process of the sandbox is left. Rejects only with a {@link SandboxRefusal}. */
  readonly exited: Promise<SandboxResult>;
  /** What was captured so far. */
  captured(): { readonly stdout: Uint8Array; readonly stderr: Uint8Array };
};

/** The driver as evidence names it. */
export type SandboxIdentity = {
  readonly kind: SandboxKind;
  readonly isolation: Isolation;
  readonly limits: LimitKind;
  /** Tool → version, as the program inside sees them: `node`, `npm` where present, and the driver's own tools. */
  readonly versions: Readonly<Record<string, string>>;
};

export type ProbeResult =
  | { readonly usable: true; readonly identity: SandboxIdentity }
  | { readonly usable: false; readonly kind: SandboxKind; readonly reason: string };

/** The ids that files in read-write mounts must belong to, or `null` where the worker's own do. */
export type FileOwner = { readonly uid: number; readonly gid: number } | null;

export type SandboxDriver = {
  readonly kind: SandboxKind;
  readonly isolation: Isolation;
  readonly fileOwner: FileOwner;
  /** Tries the driver for real, once; the answer is kept for the life of the driver. */
  probe(): Promise<ProbeResult>;
  run(run: SandboxRun): Promise<SandboxResult>;
  start(run: SandboxRun): Promise<SandboxHandle>;
};
