import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { freemem, hostname, release, totalmem } from 'node:os'
import { DriverError, type HostCpu, type HostHardware, type HostOps } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { cpuFeatures } from './cpu-features.ts'
import { systemCode, writeAtomically } from './files.ts'
import type { Gate } from './gate.ts'
import type { Installation } from './installation.ts'
import { hostIdFile, isDomainId } from './layout.ts'
import { canEmulateTpm } from './tpm.ts'

/** Source: QEMU 7.2, hw/i386/pc_piix.c: `max_cpus` of the machine `pc`. */
const VCPUS_MAX = 255

/** What the group `host` speaks of. */
export interface HostFacts {
  readonly id: string
  readonly installation: Installation
  readonly accelerator: Accelerator
}

/** The group `host`. */
export const hostOps = ({ id, installation, accelerator }: HostFacts, gate: Gate): HostOps => ({
  info: () =>
    gate.pass(async () => ({
      id,
      name: hostname(),
      memoryBytes: totalmem(),
      cpus: parseCpus(await readFile('/proc/cpuinfo', 'utf8')),
      softwareVersion: { qemu: installation.version, accelerator, linux: release() },
      emulator: { program: installation.qemu, hasTpm: canEmulateTpm() },
    })),
  hardware: () => gate.pass(async () => parseHardware(await readFile('/proc/cpuinfo', 'utf8'))),
  memoryFree: () => gate.pass(async () => freemem()),
  vcpusMax: () => gate.pass(async () => VCPUS_MAX),
})

/** The id of this host, made on first use and kept. Rejects as `refused` where what was kept is no id. */
export async function readHostId(root: string): Promise<string> {
  const path = hostIdFile(root)
  try {
    const id = (await readFile(path, 'utf8')).trim()
    if (!isDomainId(id)) throw new DriverError('refused', `${path} holds no UUID`)
    return id
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const id = randomUUID()
    await writeAtomically(path, `${id}\n`)
    return id
  }
}

/** The CPUs that Linux lists. Source: proc(5), /proc/cpuinfo; one paragraph for each. */
export function parseCpus(cpuinfo: string): HostCpu[] {
  return cpuinfo.split('\n\n').flatMap(paragraph => {
    const number = /^processor\s*:\s*(\d+)$/m.exec(paragraph)?.[1]
    const flags = /^flags\s*:\s*(.*)$/m.exec(paragraph)?.[1] ?? ''
    return number === undefined ? [] : [{ number: Number(number), features: cpuFeatures(flags.split(' ')) }]
  })
}

/** Source: proc(5), /proc/cpuinfo: `physical id` tells the sockets apart, `cpu cores` and `siblings` count in one of them. */
export function parseHardware(cpuinfo: string): HostHardware {
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(cpuinfo)?.[1]?.trim()
  const sockets = new Set(Array.from(cpuinfo.matchAll(/^physical id\s*:\s*(\d+)$/gm), ([, id]) => id))
  const coresPerSocket = Number(field('cpu cores') ?? parseCpus(cpuinfo).length)
  return {
    model: field('model name') ?? '',
    mhz: Math.round(Number(field('cpu MHz') ?? 0)),
    nodes: 1,
    socketsPerNode: Math.max(1, sockets.size),
    coresPerSocket,
    threadsPerCore: Math.max(1, Math.floor(Number(field('siblings') ?? coresPerSocket) / coresPerSocket)),
  }
}
