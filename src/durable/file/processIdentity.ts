import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';

/** Says which process owns a store: as much as tells it from every other. Empty where the platform does not tell. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The name of the machine, or of the container. */
  readonly host: string;
  /** The id of the machine. */
  readonly machine: string;
  /** The start of the machine. */
  readonly boot: string;
  /** Within which numbers of processes are counted: that of a container is another than that of its machine. */
  readonly space: string;
  /** When the process was started, in ticks since the start of the machine. */
  readonly startedAt: string;
}

/** Processes of a machine that are in no container are counted within this. */
const MACHINE_SPACE = 'pid:[4026531836]';

/** Whether a process is there, as far as can be told from here. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    pid,
    host: hostname(),
    machine: await textOf(readFile('/etc/machine-id', 'utf8')),
    boot: await textOf(readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    space: await textOf(readlink('/proc/self/ns/pid')),
    startedAt: (await statOf(pid)).startedAt,
  };
}

/** Whether a process is alive. Of one on another machine, or in another container, nothing can be told. */
export async function livenessOf(other: ProcessIdentity, own: ProcessIdentity): Promise<Liveness> {
  if (other.host !== own.host || other.machine !== own.machine) return 'unknown';
  if (other.space !== own.space) return 'unknown';
  // Containers of one name may be on two machines, and so may be machines of one name without an id.
  const isMachine = own.machine !== '' && own.space === MACHINE_SPACE;
  if (other.boot !== own.boot) return isMachine ? 'dead' : 'unknown';
  if (!exists(other.pid)) return 'dead';
  const { state, startedAt } = await statOf(other.pid);
  // It may be another process of the same number.
  if (startedAt === '' || other.startedAt === '') return 'unknown';
  // One that was killed, and that its parent has not taken note of; or another process of the same number.
  const isGone = state === 'Z' || state === 'X' || startedAt !== other.startedAt;
  return isGone ? 'dead' : 'alive';
}

function exists(other: number): boolean {
  try {
    return kill(other, 0);
  } catch (error) {
    return (error as { readonly code?: string }).code !== 'ESRCH';
  }
}

async function statOf(other: number): Promise<{ readonly state: string; readonly startedAt: string }> {
  const stat = await textOf(readFile(`/proc/${other}/stat`, 'utf8'));
  // The second field is a name in brackets that may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
}

async function textOf(text: Promise<string>): Promise<string> {
  return text.then(
    (found) => found.trim(),
    () => '',
  );
}
