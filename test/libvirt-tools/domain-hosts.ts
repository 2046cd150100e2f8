import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectionOf } from '../../src/libvirt/index.ts'
import { writeBootImage } from '../guests/boot-sector.ts'
import { program } from '../guests/cpio.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { putMedium } from '../hyperv/setting.ts'
import type { HostName, World } from './world.ts'

/** What differs between kinds of hosts. */
export interface Traits {
  readonly type: string
  readonly format: string
  /** The scheduler, one of its parameters, and another value for that. */
  readonly shares: readonly [scheduler: string, parameter: string, value: number]
  /** Shares are changed while a domain runs. */
  readonly changesShares: boolean
  /** Memory is changed while a domain runs. */
  readonly changesMemory: boolean
  /** Interfaces are plugged in and pulled while a domain runs. */
  readonly plugsNics: boolean
  /** What of the use of disks is limited. */
  readonly limits: 'all' | 'requests' | 'none'
  /** Virtual CPUs are bound to CPUs. */
  readonly bindsCpus: boolean
  /** The target of a disk that is plugged in, and the options that say so. */
  readonly target: string
  readonly options: string
  /** What virsh is told of a disk, and of an interface, in its own order. */
  readonly countedOfDisks: readonly string[]
  readonly countedOfInterfaces: readonly string[]
}

const REQUESTS = ['rd_req', 'rd_bytes', 'wr_req', 'wr_bytes', 'errs', 'flush_operations']
const TIMES = ['rd_total_times', 'wr_total_times', 'flush_total_times']
const EVERYTHING = {
  countedOfDisks: [...REQUESTS, ...TIMES],
  countedOfInterfaces: ['rx', 'tx'].flatMap(way => ['bytes', 'packets', 'errs', 'drop'].map(of => `${way}_${of}`)),
}

const HYPERV = {
  type: 'hyperv',
  shares: ['allocation', 'weight', 200],
  plugsNics: false,
  bindsCpus: false,
  countedOfDisks: REQUESTS,
  target: 'sdb',
  options: '--targetbus scsi',
} as const

/** The kinds of hosts. */
export const HOSTS: Readonly<Record<HostName, Traits>> = {
  memory: {
    ...EVERYTHING,
    type: 'test',
    format: 'qcow2',
    shares: ['memory', 'weight', 200],
    changesShares: true,
    changesMemory: true,
    plugsNics: true,
    limits: 'all',
    bindsCpus: true,
    target: 'vdb',
    options: '--subdriver qcow2',
  },
  qemu: {
    ...EVERYTHING,
    type: 'qemu',
    format: 'qcow2',
    shares: ['posix', 'cpu_shares', 200],
    changesShares: true,
    changesMemory: true,
    plugsNics: true,
    limits: 'all',
    bindsCpus: true,
    target: 'vdb',
    options: '--subdriver qcow2',
  },
  v1: {
    ...HYPERV,
    format: 'vhd',
    limits: 'none',
    changesShares: false,
    changesMemory: false,
    countedOfInterfaces: ['rx_bytes', 'rx_packets', 'tx_bytes', 'tx_packets'],
  },
  v2: {
    ...HYPERV,
    format: 'vhdx',
    limits: 'requests',
    changesShares: true,
    changesMemory: true,
    countedOfInterfaces: ['rx_bytes', 'rx_packets', 'rx_drop', 'tx_bytes', 'tx_packets', 'tx_drop'],
  },
}

/** What each of the images has that a host is furnished with. */
export const BYTES = 8_388_608
const CD_BYTES = 65_536
const MIB = 1_048_576
/** How long a guest may take to boot, or to do as it is told, on a machine that is busy. */
const GUEST_MS = 60_000
const LOOK_MS = 50

/** A description of a domain. */
export function domainXml(
  type: string,
  name: string,
  { memoryMib = 64, vcpus = 1, guest = '' }: { memoryMib?: number; vcpus?: number; guest?: string } = {},
): string {
  return `<domain type='${type}'><name>${name}</name><memory unit='MiB'>${memoryMib}</memory><vcpu>${vcpus}</vcpu>
    ${guest === '' ? `<os><type arch='x86_64'>hvm</type></os>` : guest}</domain>`
}

/** Gives a host a network, and two images, whose places it tells; QEMU's an image that boots besides. */
export async function furnish(world: World, host: HostName): Promise<string[]> {
  const connection = await connectionOf(world.driver(host), { uri: `${host}:///` })
  const { format, type } = HOSTS[host]
  const forward = type === 'hyperv' ? '' : `<forward mode='nat'/>`
  await connection.networkDefineXML(`<network><name>lan</name>${forward}</network>`)
  const folder = type === 'hyperv' ? 'C:\\Images' : join(world.folder, 'images')
  const pool = await connection.storagePoolCreateXML(
    `<pool type='dir'><name>images</name><target><path>${folder}</path></target></pool>`,
  )
  if (host === 'qemu') await writeBootImage(join(world.folder, 'boot.raw'))
  const volumes = ['one', 'two'].map(
    name => `<volume><name>${name}.${format}</name><capacity>${BYTES}</capacity>
      <target><format type='${format}'/></target></volume>`,
  )
  const paths = []
  for (const xml of volumes) paths.push((await pool.storageVolCreateXML(xml)).getPath())
  await connection.close()
  return paths
}

/** The path of a medium for a CD drive. */
export async function medium(world: World, host: HostName): Promise<string> {
  if (host === 'v1' || host === 'v2') return putMedium(world.simulated(host), 'Media', 'cd.iso')
  if (host === 'qemu') {
    const path = join(world.folder, 'cd.iso')
    await writeFile(path, new Uint8Array(CD_BYTES))
    return path
  }
  const connection = await connectionOf(world.driver(host), { uri: 'memory:///' })
  const pool = await connection.storagePoolLookupByName('images')
  const volume = `<volume><name>cd.raw</name><capacity>${CD_BYTES}</capacity><target><format type='raw'/></target></volume>`
  const path = (await pool.storageVolCreateXML(volume)).getPath()
  await connection.close()
  return path
}

/** A guest that does as the power button says. */
export const bootDisk = ({
  folder,
}: World): string => `<os><type arch='x86_64'>hvm</type></os><devices><disk type='file'>
  <driver type='raw'/><source file='${join(folder, 'boot.raw')}'/><target dev='vda' bus='virtio'/><readonly/>
  </disk></devices>`

/** Commands of a guest that writes to its first emulated disk, and asks for somebody on its first interface, over and over. */
export const BUSY = `ip link set eth0 up
while :; do
  dd if=/dev/zero of=/dev/sda bs=4096 count=2 conv=fsync
  arping -c 1 -w 1 -I eth0 10.0.0.9
done >/dev/null 2>&1 &
`

/** A guest that lets go of what is pulled, and does what these commands say. */
export async function linuxGuest({ folder }: World, commands = ''): Promise<string> {
  const start = `#!/bin/sh\n${commands}echo BOOT-OK\n`
  const { boot } = await bootLinux(folder, [], [program('etc/start', Buffer.from(start))])
  assert(boot.kind === 'kernel')
  return `<os><type arch='x86_64'>hvm</type><kernel>${boot.kernel}</kernel><initrd>${boot.initrd}</initrd>
    <cmdline>${boot.cmdline}</cmdline></os>`
}

/** Waits until the guest has said that it is up. */
export async function booted(world: World, id: string): Promise<void> {
  await until(async () => {
    const printed = await world.driver('qemu').consoles?.readSerial(id, 0, MIB)
    return Buffer.from(printed?.data ?? []).includes('BOOT-OK')
  })
}

/** Waits until it is so, looking often. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + GUEST_MS
  while (!(await isSo())) {
    assert(performance.now() < deadline, 'it never became so')
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}
