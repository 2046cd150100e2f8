import { isJsonObject, type JsonObject } from '../qmp/json.ts'
import {
  membersIn,
  objectIn,
  objectsIn,
  textIfIn,
  textIn,
  textsIn,
  truthIn,
  wholeAnswer,
  wholeIfIn,
  wholeIn,
} from './answers.ts'
import type { QgaClient } from './client.ts'

/** Where a disk is in the machine, and what the guest calls it. */
export interface QgaDiskAddress {
  readonly domain: number
  readonly bus: number
  readonly slot: number
  readonly function: number
  /** Where on its controller: the channel of IDE, and which of two drives. */
  readonly channel: number
  readonly unit: number
  /** `virtio`, `ide` and so on. */
  readonly kind?: string
  readonly serial?: string
  readonly device?: string
}

/** A file system that is mounted. */
export interface QgaFileSystem {
  readonly mountpoint: string
  readonly name: string
  readonly type: string
  readonly totalBytes?: number
  readonly usedBytes?: number
  readonly disks: readonly QgaDiskAddress[]
}

/** A disk or a part of one. */
export interface QgaDisk {
  readonly name: string
  readonly isPartition: boolean
  readonly dependencies: readonly string[]
  readonly alias?: string
  readonly address?: QgaDiskAddress
}

const FILE_SYSTEMS_MAX = 2_048
const DISKS_MAX = 2_048
/** QEMU's agent gives -1 where it does not know. */
const PLACE = [-1, 0xffff_ffff] as const

/**
 * What is mounted, in the order in which it was. Rejects with QgaError, like all that follows.
 * Source: QEMU qga/qapi-schema.json, guest-get-fsinfo; libvirt turns the order about, too.
 */
export async function readFileSystems(client: QgaClient, timeoutMs: number): Promise<readonly QgaFileSystem[]> {
  const command = 'guest-get-fsinfo'
  const told = objectsIn(await client.execute(command, {}, timeoutMs), command, FILE_SYSTEMS_MAX)
  const fileSystems = told.map(entry => {
    const [totalBytes, usedBytes] = [wholeIfIn(entry, 'total-bytes'), wholeIfIn(entry, 'used-bytes')]
    return {
      mountpoint: textIn(entry, 'mountpoint', command),
      name: textIn(entry, 'name', command),
      type: textIn(entry, 'type', command),
      ...(totalBytes !== undefined && { totalBytes }),
      ...(usedBytes !== undefined && { usedBytes }),
      disks: membersIn(entry, 'disk', command, DISKS_MAX).map(disk => addressIn(disk, command)),
    }
  })
  return fileSystems.toReversed()
}

/** Source: QEMU qga/qapi-schema.json, guest-get-disks. */
export async function readDisks(client: QgaClient, timeoutMs: number): Promise<readonly QgaDisk[]> {
  const command = 'guest-get-disks'
  return objectsIn(await client.execute(command, {}, timeoutMs), command, DISKS_MAX).map(entry => {
    const [alias, address] = [textIfIn(entry, 'alias'), entry['address']]
    return {
      name: textIn(entry, 'name', command),
      isPartition: truthIn(entry, 'partition', command),
      dependencies: textsIn(entry, 'dependencies', command, DISKS_MAX),
      ...(alias !== undefined && { alias }),
      ...(isJsonObject(address) && { address: addressIn(address, command) }),
    }
  })
}

/** Freezes what is mounted at these places, or all; how many that are. Source: guest-fsfreeze-freeze, …-freeze-list. */
export async function freezeFileSystems(
  client: QgaClient,
  mountpoints: readonly string[] | undefined,
  timeoutMs: number,
): Promise<number> {
  if (mountpoints !== undefined) {
    const command = 'guest-fsfreeze-freeze-list'
    return wholeAnswer(await client.execute(command, { mountpoints }, timeoutMs), command)
  }
  return wholeAnswer(await client.execute('guest-fsfreeze-freeze', {}, timeoutMs), 'guest-fsfreeze-freeze')
}

/** Lets all go on; how many those are. Source: guest-fsfreeze-thaw. */
export async function thawFileSystems(client: QgaClient, timeoutMs: number): Promise<number> {
  return wholeAnswer(await client.execute('guest-fsfreeze-thaw', {}, timeoutMs), 'guest-fsfreeze-thaw')
}

/** Gives back what is not used, in pieces of at least so many bytes. Source: guest-fstrim. */
export async function trimFileSystems(client: QgaClient, minimum: number, timeoutMs: number): Promise<void> {
  await client.execute('guest-fstrim', { minimum }, timeoutMs)
}

function addressIn(entry: JsonObject, command: string): QgaDiskAddress {
  const pci = objectIn(entry['pci-controller'], command)
  const [kind, serial, device] = [textIfIn(entry, 'bus-type'), textIfIn(entry, 'serial'), textIfIn(entry, 'dev')]
  return {
    domain: wholeIn(pci, 'domain', command, PLACE),
    bus: wholeIn(pci, 'bus', command, PLACE),
    slot: wholeIn(pci, 'slot', command, PLACE),
    function: wholeIn(pci, 'function', command, PLACE),
    channel: wholeIn(entry, 'bus', command, PLACE),
    unit: wholeIn(entry, 'unit', command, PLACE),
    ...(kind !== undefined && { kind }),
    ...(serial !== undefined && { serial }),
    ...(device !== undefined && { device }),
  }
}
