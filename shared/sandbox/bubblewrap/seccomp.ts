import { arch } from 'node:process';

/**
 * The system-call filter of the sandbox, as classic BPF over `struct seccomp_data` (seccomp(2)). Namespaces don't cover what it
 * refuses: AF_VSOCK reaches the hypervisor's host from any network namespace, io_uring makes sockets unseen by such a filter,
 * and keyrings, bpf and performance counters are kernel surface that no build needs. Refused calls answer EPERM, calls of a
 * foreign architecture ENOSYS.
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

const uniform = { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 };
const calls: Readonly<Record<string, CallTable>> = {
  x64: {
    audit: 0xc000_003e,
    socket: 41,
    socketpair: 53,
    denied: {
      ...uniform,
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      perf_event_open: 298,
      bpf: 321,
      userfaultfd: 323,
    },
  },
  arm64: {
    audit: 0xc000_00b7,
    socket: 198,
    socketpair: 199,
    denied: {
      ...uniform,
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      perf_event_open: 241,
      bpf: 280,
      userfaultfd: 282,
    },
  },
};
