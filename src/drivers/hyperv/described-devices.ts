import type { DiskConfig, DiskLimits, NicConfig } from '../driver.ts'
import { deviceOfAdapter, idOfAdapter } from './adapters.ts'
import { idOfDevice } from './device-ids.ts'
import type { Drive, Storage } from './drive-back-end.ts'
import { formatOf } from './images.ts'
import type { Adapter } from './network-back-end.ts'
import { deviceName } from './places.ts'

/** What every interface has where its guest chooses nothing else. */
export const MTU = 1_500

/** A disk that somebody else has put into a machine, whose volume is at `location`. */
export function describeDrive(drive: Drive, storage: Storage, location: string): DiskConfig {
  const { kind, medium } = drive
  const limits = limitsOf(medium)
  const isOnScsi = storage.controllers.find(({ id }) => id === drive.controller)?.bus === 'scsi'
  return {
    id: idOfDevice(drive.id),
    ...(kind !== 'disk' && { kind }),
    location,
    format: kind === 'disk' ? formatOf(location) : 'raw',
    readOnly: kind === 'cdrom',
    device: deviceName(drive, storage),
    bus: isOnScsi ? 'paravirtualised' : 'emulated',
    ...(limits !== undefined && { limits }),
  }
}

/** The limits that a host tells of a medium. */
export function limitsOf(medium: Drive['medium']): DiskLimits | undefined {
  const { requestsMax: perSecond = 0 } = medium ?? {}
  return perSecond === 0 ? undefined : { requests: { perSecond } }
}

/** An interface that no definition says anything of; `number` is that of its name, where it has none. */
export function describeAdapter(adapter: Adapter, number: number, network: string | null): NicConfig {
  const { mac, kind } = adapter
  const device = deviceOfAdapter(adapter) ?? `eth${number}`
  return { id: idOfAdapter(adapter), mac: macOf(mac), mtu: MTU, model: kind, device, network }
}

/** Pairs of lower-case digits with colons between. */
export const macOf = (digits: string): string => digits.toLowerCase().replaceAll(/..(?=.)/g, '$&:')
