import { z } from 'zod';

/**
 * What the checks of an application run with (`environment` of its declaration): the languages' tools, packages fetched for
 * them beforehand, and variables. Declared by people; nothing of it is read from a change.
 */
export const TOOLCHAIN_NAMES = ['node', 'python', 'dotnet', 'go', 'java', 'rust', 'c', 'make'] as const;
export type ToolchainName = (typeof TOOLCHAIN_NAMES)[number];

const toolchainName = z.enum(TOOLCHAIN_NAMES);
/** `3.11` takes every 3.11.x. */
const version = z.string().regex(/^\d{1,4}(\.\d{1,6}){0,3}$/);
const toolchain = z.union([toolchainName, z.strictObject({ name: toolchainName, version: version.optional() })]);

/** A file of the repository, by its path from the root. */
const file = z
  .string()
  .max(400)
  .regex(/^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\0\\]+[^/\0\\]$/);
/** Name of an extra or of a dependency group (PEP 508, PEP 735). */
const group = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/);

const python = z.strictObject({
  /** Requirements or lock files of the base: `requirements.txt`, `uv.lock`, `poetry.lock`, `Pipfile.lock`, … */
  requirements: z.array(file).max(20).optional(),
  /** The dependencies that `pyproject.toml` declares, with these extras and dependency groups. */
  project: z
    .strictObject({ extras: z.array(group).max(20).optional(), groups: z.array(group).max(20).optional() })
    .optional(),
});
export type PythonSetup = z.infer<typeof python>;

/** Set by the sandbox, or able to make every program inside another one. */
const RESERVED_VARIABLES = /^(PATH|HOME|TMPDIR|LD_[A-Z_]*|FACTORY_.*)$/;

export const checkEnvironment = z.strictObject({
  toolchain: z.array(toolchain).min(1).max(TOOLCHAIN_NAMES.length),
  /** Packages that are fetched before anything runs; scripts of the repository never run with a network. */
  setup: z.strictObject({ python: python.optional() }).optional(),
  /** For every program of the repository; `{workspace}` in a value is replaced by the place of the checkout. */
  variables: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/)
        .refine((name) => !RESERVED_VARIABLES.test(name), 'is set by the sandbox'),
      z
        .string()
        .max(4_096)
        .regex(/^[^\0]*$/),
    )
    .optional(),
});
export type CheckEnvironment = z.infer<typeof checkEnvironment>;

/** A toolchain as it is asked for; without a version the machine's own will do. */
export type WantedToolchain = { readonly name: ToolchainName; readonly version?: string | undefined };

/** The toolchains of an environment, the short form written out. */
export function wantedToolchains(environment: CheckEnvironment | undefined): WantedToolchain[] {
  return (environment?.toolchain ?? []).map((each) => (typeof each === 'string' ? { name: each } : each));
}
