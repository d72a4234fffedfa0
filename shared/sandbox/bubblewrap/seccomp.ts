import { arch } from 'node:process';

/** mseal, of Linux 6.10: what a kernel adds after it is not there inside until somebody has looked at it. */
const newestKnown = 462;

/**
 * The system-call filter of the sandbox, as classic BPF over `struct seccomp_data` (seccomp(2)): of the calls up to
 * {@link newestKnown} all but those that are denied, and none beyond. Namespaces don't cover what it refuses: AF_VSOCK reaches the
 * hypervisor's host from any network namespace, io_uring makes sockets unseen by such a filter, memory of memfd_secret is counted
 * nowhere, and mounts, modules, clocks, keyrings, bpf and performance counters are kernel surface that no build needs. Denied calls
 * answer EPERM; unknown ones and those of a foreign architecture ENOSYS, so that libraries fall back.
 */
export function seccompFilter(): Uint8Array {
  const table = calls[arch];
  if (table === undefined) throw new TypeError(`no system-call table for ${arch}`);
  const deniedCalls = Object.values(table.denied);
  const families = [1, 2, 10, 16]; // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (getifaddrs needs it)

  const program: Instruction[] = [
    load(4),
    jumpIfEqual(table.audit, 1, 0),
    answer(errno(38)),
    load(0),
    // x32 calls carry bit 30 and would pass a filter that lists the plain numbers.
    jumpIfAtLeast(0x4000_0000, 0, 1),
    answer(errno(38)),
    jumpIfAtLeast(newestKnown + 1, 0, 1),
    answer(errno(38)),
  ];
  for (const number of deniedCalls) program.push(jumpIfEqual(number, 0, 1), answer(errno(1)));
  for (const number of [table.socket, table.socketpair]) {
    program.push(jumpIfEqual(number, 0, 3 + families.length), load(16));
    program.push(...families.map((family, index) => jumpIfEqual(family, families.length - index, 0)));
    program.push(answer(errno(1)), answer(allow));
  }
  program.push(answer(allow));

  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, ifTrue);
    bytes.setUint8(index * 8 + 3, ifFalse);
    bytes.setUint32(index * 8 + 4, value, true);
  });
  return new Uint8Array(bytes.buffer);
}

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const allow = 0x7fff_0000;
const errno = (number: number): number => 0x0005_0000 | number;
/** Offsets: 0 number, 4 architecture, 16 low half of the first argument. */
const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const jumpIfEqual = (value: number, ifTrue: number, ifFalse: number): Instruction => [0x15, ifTrue, ifFalse, value];
const jumpIfAtLeast = (value: number, ifTrue: number, ifFalse: number): Instruction => [0x35, ifTrue, ifFalse, value];
const answer = (value: number): Instruction => [0x06, 0, 0, value];

type CallTable = {
  readonly audit: number;
  readonly socket: number;
  readonly socketpair: number;
  readonly denied: Readonly<Record<string, number>>;
};

/** Of one number on every architecture, as all calls from 424 on (asm-generic/unistd.h). */
const uniform = {
  fsconfig: 431,
  fsmount: 432,
  fsopen: 430,
  fspick: 433,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  memfd_secret: 447,
  mount_setattr: 442,
  move_mount: 429,
  open_tree: 428,
  quotactl_fd: 443,
};
const calls: Readonly<Record<string, CallTable>> = {
  x64: {
    audit: 0xc000_003e,
    socket: 41,
    socketpair: 53,
    denied: {
      ...uniform,
      acct: 163,
      add_key: 248,
      bpf: 321,
      chroot: 161,
      clock_adjtime: 305,
      clock_settime: 227,
      create_module: 174,
      delete_module: 176,
      fanotify_init: 300,
      finit_module: 313,
      get_kernel_syms: 177,
      init_module: 175,
      ioperm: 173,
      iopl: 172,
      kcmp: 312,
      kexec_file_load: 320,
      kexec_load: 246,
      keyctl: 250,
      lookup_dcookie: 212,
      mount: 165,
      nfsservctl: 180,
      open_by_handle_at: 304,
      perf_event_open: 298,
      pivot_root: 155,
      query_module: 178,
      quotactl: 179,
      reboot: 169,
      request_key: 249,
      setdomainname: 171,
      sethostname: 170,
      setns: 308,
      settimeofday: 164,
      swapoff: 168,
      swapon: 167,
      sysfs: 139,
      _sysctl: 156,
      syslog: 103,
      umount2: 166,
      unshare: 272,
      uselib: 134,
      userfaultfd: 323,
      ustat: 136,
      vhangup: 153,
    },
  },
  arm64: {
    audit: 0xc000_00b7,
    socket: 198,
    socketpair: 199,
    denied: {
      ...uniform,
      acct: 89,
      add_key: 217,
      bpf: 280,
      chroot: 51,
      clock_adjtime: 266,
      clock_settime: 112,
      delete_module: 106,
      fanotify_init: 262,
      finit_module: 273,
      init_module: 105,
      kcmp: 272,
      kexec_file_load: 294,
      kexec_load: 104,
      keyctl: 219,
      lookup_dcookie: 18,
      mount: 40,
      nfsservctl: 42,
      open_by_handle_at: 265,
      perf_event_open: 241,
      pivot_root: 41,
      quotactl: 60,
      reboot: 142,
      request_key: 218,
      setdomainname: 162,
      sethostname: 161,
      setns: 268,
      settimeofday: 170,
      swapoff: 225,
      swapon: 224,
      syslog: 116,
      umount2: 39,
      unshare: 97,
      userfaultfd: 282,
      vhangup: 58,
    },
  },
};
