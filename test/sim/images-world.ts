import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { textOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue } from '../../sim/hyperv/cim/model.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import type { OpenHost } from '../../sim/hyperv/host/open-host.ts'
import { openImage } from '../../sim/hyperv/storage/open-image.ts'
import { call, embedded, manage, onlyOne, type World, worldOf } from './host-world.ts'
import { atEnd } from '../support/at-end.ts'

/** Where a host's disks are in these tests. */
export const DISKS = 'C:\\Users\\Public\\Documents\\Hyper-V\\Virtual Hard Disks'

/** A world whose host has a folder for its files. */
export interface StorageWorld extends World {
  readonly folder: string
}

export async function storageWorld(
  context: TestContext,
  options: Parameters<typeof worldOf>[0] = {},
): Promise<StorageWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'sim-world-'))
  const world = await worldOf({ ...options, folder } satisfies OpenHost & object)
  atEnd(context, async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { ...world, folder }
}

/** Where a file of the host really is. */
export const fileOf = ({ folder }: StorageWorld, path: string): string =>
  join(folder, path.replace(/^C:/i, 'C').replaceAll('\\', '/'))

/** A method of the image service. */
export function image(world: World, method: string, input: Readonly<Record<string, CimValue>>): Promise<MethodResult> {
  return call(world.v2, onlyOne(world.v2, 'SELECT * FROM Msvm_ImageManagementService'), method, input)
}

/** How a call ended: its own return value, or that of the job it started, with its text. */
export interface End {
  readonly returnValue: number
  readonly code: number
  readonly text: string
  readonly output: Readonly<Record<string, CimValue>>
  readonly jobId: string
}

/** Lets a call end, its job included. */
export async function ended(world: World, answer: Promise<MethodResult>): Promise<End> {
  const { returnValue, output = {} } = await answer
  const path = output['Job']
  if (typeof path !== 'string') return { returnValue, code: returnValue, text: '', output, jobId: '' }
  const id = /"([^"]+)"$/.exec(path)?.[1] ?? ''
  const done = world.host.jobs.ended(id)
  await world.clock.advance(60_000)
  await done
  const job = world.host.jobs.find(id)
  assert(job?.hasEnded === true)
  const { failure } = job
  return { returnValue, code: failure?.code ?? 0, text: failure?.message ?? '', output, jobId: id }
}

export type Values = Readonly<Record<string, CimValue>>

const TYPES: Readonly<Record<string, string>> = {
  Type: 'uint16',
  Format: 'uint16',
  MaxInternalSize: 'uint64',
  BlockSize: 'uint32',
  LogicalSectorSize: 'uint32',
  PhysicalSectorSize: 'uint32',
}

/** Msvm_VirtualHardDiskSettingData as clients write it. */
export function diskSettings(values: Values): string {
  const properties = Object.entries(values).map(([name, value]) => [name, [TYPES[name] ?? 'string', value]] as const)
  return embedded('Msvm_VirtualHardDiskSettingData', Object.fromEntries(properties))
}

/** Makes an image, and expects that to go well. */
export async function createDisk(world: World, path: string, values: Values = {}): Promise<void> {
  const format = path.endsWith('x') ? 3 : 2
  const isChild = values['ParentPath'] !== undefined
  const size = isChild ? {} : { MaxInternalSize: 1024 ** 3 }
  const settings = diskSettings({ Type: isChild ? 4 : 3, Format: format, Path: path, ...size, ...values })
  const end = await ended(world, image(world, 'CreateVirtualHardDisk', { VirtualDiskSettingData: settings }))
  assert.equal(end.code, 0, end.text)
}

/** What the host says of an image: the values of Msvm_VirtualHardDiskSettingData that are not NULL. */
export async function settingsOfDisk(world: World, path: string): Promise<Record<string, string>> {
  const end = await ended(world, image(world, 'GetVirtualHardDiskSettingData', { Path: path }))
  assert.equal(end.code, 0, end.text)
  return propertiesIn(end.output['SettingData'])
}

export async function stateOfDisk(world: World, path: string): Promise<Record<string, string>> {
  const end = await ended(world, image(world, 'GetVirtualHardDiskState', { Path: path }))
  assert.equal(end.code, 0, end.text)
  return propertiesIn(end.output['State'])
}

export function propertiesIn(text: CimValue | undefined): Record<string, string> {
  assert(typeof text === 'string')
  const found = text.matchAll(/<PROPERTY NAME="(\w+)"[^>]*><VALUE>([^<]*)<\/VALUE>/g)
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]))
}

/** Puts a disk into a machine: a controller where it has none, a drive, and the file in it. */
export async function putDisk(world: World, vm: Vm, path: string, slot = 0): Promise<void> {
  const settings = `\\\\HVHOST\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:${vm.id}"`
  const add = async (className: string, values: Parameters<typeof embedded>[1]): Promise<string> => {
    const input = { AffectedConfiguration: settings, ResourceSettings: [embedded(className, values)] }
    const { output } = await manage(world, 'AddResourceSettings', input)
    const made = output?.['ResultingResourceSettings']
    assert(Array.isArray(made) && typeof made[0] === 'string', `${className} was not added`)
    return made[0]
  }
  const drive = await add('Msvm_ResourceAllocationSettingData', {
    ResourceType: ['uint16', 17],
    ResourceSubType: ['string', 'Microsoft:Hyper-V:Synthetic Disk Drive'],
    Parent: ['string', ideController(world, vm)],
    AddressOnParent: ['string', String(slot)],
  })
  await add('Msvm_StorageAllocationSettingData', {
    ResourceType: ['uint16', 31],
    ResourceSubType: ['string', 'Microsoft:Hyper-V:Virtual Hard Disk'],
    Parent: ['string', drive],
    HostResource: ['string', [path]],
  })
}

function ideController(world: World, vm: Vm): string {
  const wql = `SELECT * FROM Msvm_ResourceAllocationSettingData WHERE ResourceType = 5 AND Address = '0' AND InstanceID LIKE 'Microsoft:${vm.id}%'`
  const id = textOf(onlyOne(world.v2, wql), 'InstanceID').replaceAll('\\', '\\\\')
  return `\\\\HVHOST\\root\\virtualization\\v2:Msvm_ResourceAllocationSettingData.InstanceID="${id}"`
}

/** The files in a machine's drives. */
export const disksOf = ({ configuration }: Pick<Vm, 'configuration'>): string[] =>
  configuration.resources.flatMap(({ className, values }) => {
    const files = className === 'Msvm_StorageAllocationSettingData' ? values['HostResource'] : undefined
    return Array.isArray(files) ? files.filter(file => typeof file === 'string') : []
  })

/** What QEMU says of an image. */
export function foreignInfo(world: StorageWorld, path: string): Record<string, unknown> {
  const text = execFileSync('qemu-img', ['info', '--output=json', fileOf(world, path)], { encoding: 'utf8' })
  return JSON.parse(text)
}

/** Writes bytes into an image as a guest would. */
export async function scribble(world: StorageWorld, path: string, offset: number, value: number): Promise<void> {
  const opened = await openImage(fileOf(world, path), 'write', () => world.host.random.guid())
  await opened.write(offset, Buffer.alloc(4096, value))
  await opened.close()
}

/** Throws where QEMU does not read this byte everywhere in the 4096 at a place. */
export function foreignRead(world: StorageWorld, path: string, offset: number, value: number): void {
  const command = `read -P ${value} ${offset} 4096`
  const text = execFileSync('qemu-io', ['-r', '-c', command, fileOf(world, path)], { encoding: 'utf8' })
  assert.match(text, /read 4096\/4096/)
  assert.doesNotMatch(text, /fail/i)
}

/** An output of a call, which must be a text. */
export function textIn({ output }: Pick<MethodResult, 'output'>, name: string): string {
  const value = output?.[name]
  assert(typeof value === 'string', `${name} is no text`)
  return value
}
