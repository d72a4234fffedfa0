import { readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

/**
 * Descriptors above 2 that a program started from here would inherit. Node opens its own close-on-exec and marks the low ones it
 * was started with, but stops at the first gap above 15 (libuv's uv_disable_stdio_inheritance): one at 251 was seen inside a sandbox.
 */
export function inheritedDescriptors(): number[] {
  const leaking: number[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    const flags = /^flags:\s+([0-7]+)$/m.exec(descriptorInfo(descriptor))?.[1];
    if (flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0) leaking.push(descriptor);
  }
  return leaking;
}

// The descriptor that lists the directory is itself listed and gone by now.
function descriptorInfo(descriptor: number): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
  } catch {
    return '';
  }
}
