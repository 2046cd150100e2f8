import type { ExternalPort, HostState, PhysicalDisk } from './model.ts'
import type { Random } from './random.ts'

/** What a new host is to be like. */
export interface NewHost {
  /** Made NetBIOS: 15 characters at most, in upper case. */
  readonly name?: string
  readonly build?: number
  /** Logical processors; two threads a core where that comes out even. */
  readonly cpus?: number
  readonly memoryMb?: number
}

const GIB = 2 ** 30
const NETBIOS_LENGTH = 15

/** A host as it is when Hyper-V has just been installed on it: no machine and no switch. */
export function newState(options: NewHost, random: Random, now: number): HostState {
  const cpus = Math.max(1, Math.floor(options.cpus ?? 16))
  const threadsPerCore = cpus % 2 === 0 ? 2 : 1
  return {
    version: 1,
    name: (options.name ?? 'HVHOST').toUpperCase().slice(0, NETBIOS_LENGTH),
    uuid: random.guid(),
    build: options.build ?? 20348,
    bootedAt: now,
    memoryMb: Math.max(1024, Math.floor(options.memoryMb ?? 65_536)),
    sockets: 1,
    coresPerSocket: cpus / threadsPerCore,
    threadsPerCore,
    vms: [],
    switches: [],
    externalPorts: [1, 2].map(number => networkCard(random, number)),
    physicalDisks: [0, 1].map(number => disk(random, number)),
    mounted: [],
    nextProcessId: 2048,
    nextMac: 0,
  }
}

function networkCard(random: Random, number: number): ExternalPort {
  // A0-36-9F is one of Intel's; the bytes after it are the card's own.
  const address = `A0369F${random.hex(3)}`
  const name =
    number === 1 ? 'Intel(R) I350 Gigabit Network Connection' : `Intel(R) I350 Gigabit Network Connection #${number}`
  return { id: random.guid(), name, address }
}

/** The first is the host's own, the second free to be passed through. */
function disk(random: Random, number: number): PhysicalDisk {
  return { number, id: random.guid(), bytes: 512 * GIB }
}
