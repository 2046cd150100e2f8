import { isDeepStrictEqual } from 'node:util'
import type { DomainConfig } from './domain-config.ts'
import { DriverError } from './driver.ts'

/**
 * What a saved guest is to be made of, where somebody wants that changed: `wanted`, in which disks and interfaces have the
 * ids that they were saved with, by the names that the guest sees. Throws DriverError, `refused`, naming it, where that
 * would be another domain, or other hardware than the guest knows.
 */
export function fitToSaved(saved: DomainConfig, wanted: DomainConfig): DomainConfig {
  const [before, after] = [hardwareOf(saved), hardwareOf(wanted)]
  for (const [part, value] of Object.entries(before)) {
    if (isDeepStrictEqual(value, Object.entries(after).find(([name]) => name === part)?.[1])) continue
    throw new DriverError('refused', `the ${part} of ${saved.name} cannot be other than when it was saved`)
  }
  const nics = wanted.nics === undefined ? {} : { nics: named(wanted.nics, saved.nics ?? []) }
  return { ...wanted, disks: named(wanted.disks, saved.disks), ...nics }
}

interface Device {
  readonly id: string
  readonly device: string
}

const named = <D extends Device>(devices: readonly D[], known: readonly Device[]): D[] =>
  devices.map(one => ({ ...one, id: known.find(({ device }) => device === one.device)?.id ?? one.id }))

/** What a guest sees of its machine, by the words that a refusal names it with. */
function hardwareOf({ id, memoryBytes, vcpus, cpu, boot, disks, nics = [], platform = {} }: DomainConfig) {
  const { required = [], canUse = [], forceOn = [], forceOff = [] } = cpu ?? {}
  const { vga, serial = 'console', audio = false, tpm = false, pciDevices = [] } = platform
  return {
    UUID: id,
    memory: memoryBytes,
    'number of CPUs': vcpus,
    CPU: [required, canUse, forceOn, forceOff].map(features => features.toSorted()),
    boot,
    disks: byName(disks).map(({ device, kind = 'disk', bus, readOnly }) => ({ device, kind, bus, readOnly })),
    'network interfaces': byName(nics).map(({ device, mac, mtu, model }) => ({ device, mac, mtu, model })),
    platform: { vga, serial, audio, tpm, pciDevices },
  }
}

const byName = <D extends Device>(devices: readonly D[]): D[] =>
  devices.toSorted((a, b) => Number(a.device > b.device) - Number(a.device < b.device))
