import { isDeepStrictEqual } from 'node:util'
import type { CpuConfig, DomainConfig } from './domain-config.ts'
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
function hardwareOf({ id, memoryBytes, vcpus, cpu = NO_CPU, boot, disks, nics = [], platform = {} }: DomainConfig) {
  const {
    localTime: _local,
    keepClockOffset: _kept,
    memoryStatsSeconds: _told,
    serial = 'console',
    ...board
  } = platform
  const features = Object.entries(cpu).map(([name, words]) => [name, words.toSorted()])
  return {
    UUID: id,
    memory: memoryBytes,
    'number of CPUs': vcpus,
    CPU: told(Object.fromEntries(features)),
    boot,
    disks: byName(disks).map(
      ({ id: _id, location: _at, format: _as, shared: _with, limits: _to, alias: _called, kind = 'disk', ...seen }) => {
        return { ...seen, kind }
      },
    ),
    'network interfaces': byName(nics).map(
      ({ id: _id, network: _to, linkDown: _seen, alias: _called, ...seen }) => seen,
    ),
    platform: told({ ...board, serial }),
  }
}

const NO_CPU: CpuConfig = { required: [], canUse: [], forceOn: [], forceOff: [] }

/** Without what is as it is where nothing is said. */
const told = (parts: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(parts).filter(
      ([, value]) => value !== undefined && value !== false && !isDeepStrictEqual(value, []),
    ),
  )

const byName = <D extends Device>(devices: readonly D[]): D[] =>
  devices.toSorted((a, b) => Number(a.device > b.device) - Number(a.device < b.device))
