import assert from 'node:assert/strict'
import { createImage } from '../../sim/hyperv/storage/image-creation.ts'
import type { DiskConfig, DomainConfig } from '../../src/drivers/driver.ts'
import { domainConfig, type HypervHost } from './setting.ts'

const BYTES = 4_194_304

/** Makes an image on a host, and gives its path. */
export async function image({ sim }: HypervHost, name: string): Promise<string> {
  assert(sim.host !== undefined)
  const path = `C:\\Users\\Public\\Documents\\Hyper-V\\Virtual Hard Disks\\${name}`
  await createImage(sim.host, { path, format: name.endsWith('x') ? 'vhdx' : 'vhd', type: 'dynamic', bytes: BYTES })
  return path
}

/** A disk of a definition. */
export function disk(location: string, device: string, change: Partial<DiskConfig> = {}): DiskConfig {
  const format = /\.vhdx$/i.test(location) ? 'vhdx' : /\.vhd$/i.test(location) ? 'vhd' : 'raw'
  return { id: crypto.randomUUID(), location, format, readOnly: false, device, bus: 'emulated', ...change }
}

/** A definition with these disks. */
export const withDisks = (...disks: readonly DiskConfig[]): DomainConfig => ({ ...domainConfig(), disks })

/** Of a machine by its name: what lies in its drives, by their places, such as `ide 0:1`, `scsi 0:3` and `floppy`. */
export function drivesOn({ sim }: HypervHost, name: string): Record<string, string> {
  const vm = sim.host?.state.vms.find(one => one.configuration.system.values['ElementName'] === name)
  assert(vm !== undefined, `the host has a machine ${name}`)
  const { resources } = vm.configuration
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const scsi = resources
    .filter(({ values }) => values['ResourceType'] === 6)
    .map(({ values }) => text(values['InstanceID']))
  const placeOf = (id: string): string => {
    const ide = /\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\(\d)\\(\d)\\D$/i.exec(id)
    if (ide !== null) return `ide ${ide[1]}:${ide[2]}`
    const controller = scsi.findIndex(each => id.startsWith(`${each}\\`))
    return controller < 0 ? 'floppy' : `scsi ${controller}:${/\\(\d+)\\D$/.exec(id)?.[1]}`
  }
  const fileIn = (drive: string): string => {
    const found = resources.find(({ values }) => values['InstanceID'] === drive.replace(/D$/, 'L'))
    const files = found?.values['HostResource']
    return Array.isArray(files) ? text(files[0]) : ''
  }
  const drives = resources
    .map(({ values }) => text(values['InstanceID']))
    .filter(id => id.endsWith('\\D'))
    .map((id): [string, string] => [placeOf(id), fileIn(id)])
  return Object.fromEntries(drives.filter(([place, file]) => place !== 'floppy' || file !== ''))
}
