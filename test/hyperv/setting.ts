import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { parseOptions } from '../../sim/hyperv/options.ts'
import { type RunningSim, startSim } from '../../sim/hyperv/start.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import type { Guest, Setup, Traits } from '../conformance/setting.ts'
import { type Share, WHOLE } from '../conformance/stage.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'

const MIB = 1_048_576

/** What the driver has on a simulated host. */
export const TRAITS: Traits = {
  groups: [
    'devices',
    'suspension',
    'snapshots',
    'storage',
    'networks',
    'screens',
    'guest',
    'metrics',
    'scheduler',
    'autostart',
    'events',
  ],
  formats: ['vhdx', 'vhd'],
  guests: ['obedient', 'broken', 'yielding', 'talking'],
  outlivesConnection: true,
  bindsNoCpus: true,
  sharesNoImages: true,
  limitsRequestsAlone: true,
  plugsNoNics: true,
  settleMs: 30_000,
  testMs: 90_000,
}

const NAMES: Readonly<Partial<Record<Guest, string>>> = {
  obedient: 'web',
  yielding: 'web',
  talking: 'web',
  broken: 'vm-that-fails-to-start',
}

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-hyperv-setting-'))
/** The file with the password of HYPERV_ADMIN. */
export const passwordFile = join(folder, 'password')
writeFileSync(passwordFile, HYPERV_ADMIN.password)
after(() => rmSync(folder, { recursive: true }))

/** A simulated host in this process, and the URI that leads to it. */
export interface HypervHost {
  readonly sim: RunningSim
  readonly uri: URL
  /** What host and driver have complained of so far. */
  readonly complaints: string[]
  readonly connect: () => ReturnType<typeof connect>
}

/** Starts a host with these options of its command. */
export async function startHost(...options: readonly string[]): Promise<HypervHost> {
  const parsed = parseOptions(['--listen', 'http://127.0.0.1:0', '--password-file', passwordFile, ...options])
  assert(parsed !== undefined)
  const complaints: string[] = []
  const warn = (message: string) => void complaints.push(message)
  const sim = await startSim(parsed, warn)
  const { host } = new URL(sim.urls[0] ?? '')
  const uri = new URL(`hyperv://${HYPERV_ADMIN.name}@${host}/?transport=http&password_file=${passwordFile}`)
  return { sim, uri, complaints, connect: () => connect({ uri, warn }) }
}

/** A kind of host. */
export interface HostKind {
  readonly build: number
  /** Where the host has two; the newer one where nothing is said. */
  readonly namespace?: 'v1' | 'v2'
  /** The share that jobs and guests take of what real ones do. */
  readonly pace: number
}

/** From Windows Server 2012 R2 on, images can grow while a machine runs. */
const GROWTH_FROM_BUILD = 9_600
/** From Windows Server 2016 on, memory can be changed while a machine runs. */
const MEMORY_FROM_BUILD = 14_393

/** What the driver has on a host of this kind. */
export function traitsOf({ build, namespace }: Omit<HostKind, 'pace'>): Traits {
  return {
    ...TRAITS,
    ...(namespace === 'v1' && {
      renamesNoNetworks: true as const,
      formats: ['vhd'] as const,
      foldsNames: true as const,
    }),
    ...(build < GROWTH_FROM_BUILD && { growsInUse: false as const }),
    ...(build < MEMORY_FROM_BUILD && { changesNoMemory: true as const }),
  }
}

/** A host for each test of the contract. */
export function setUp({ build, namespace, pace }: HostKind, ...options: readonly string[]): () => Promise<Setup> {
  return async () => {
    const host = await startHost('--build', String(build), '--pace', String(pace), '--vms', '2', ...options)
    if (namespace !== undefined) host.uri.searchParams.set('namespace', namespace)
    return {
      connect: host.connect,
      domainConfig,
      repository: { type: 'dir', location: 'C:\\Images' },
      medium: async (kind, name) => putMedium(host, 'Images', `${name}.${kind === 'cdrom' ? 'iso' : 'vfd'}`),
      async tearDown() {
        await host.sim.close()
        assert.deepEqual(host.complaints, [])
      },
    }
  }
}

/** Of a floppy disk of 1.44 MB. */
const MEDIUM_BYTES = 1_474_560

/** Puts a file for a drive into a folder of drive C, and gives its path on the host. */
export function putMedium({ sim }: HypervHost, folder: string, name: string): string {
  const place = join(sim.host?.folder ?? '', 'C', folder)
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, name), new Uint8Array(MEDIUM_BYTES))
  return `C:\\${folder}\\${name}`
}

/** A definition with an id and a name of its own. */
export function domainConfig(guest: Guest = 'obedient'): DomainConfig {
  return {
    id: crypto.randomUUID(),
    name: `${NAMES[guest]}-${crypto.randomUUID().slice(0, 8)}`,
    description: '',
    memoryBytes: 64 * MIB,
    vcpus: 1,
    boot: { kind: 'firmware', device: 'disk' },
    disks: [],
  }
}

/**
 * A part of the suite, one of so many; all of it where the environment says `POLYVISOR_EVERY_BUILD=1`, which takes the
 * minutes that a release has.
 */
export const part = (first: number, of: number): Share =>
  process.env['POLYVISOR_EVERY_BUILD'] === '1' ? WHOLE : { first, of }
