import type { Schema } from '../cim/model.ts'
import type { ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Vm } from '../host/model.ts'
import { ownerOfId, sameId } from '../host/resources-ids.ts'
import { isActive } from '../host/resources-images.ts'
import type { KindName } from '../host/resources-kinds.ts'
import { idOf, kindOf } from '../host/resources-settings.ts'
import { diskDeviceId } from '../host/resources-storage.ts'
import { textIn } from '../host/settings.ts'
import { type DeviceRow, deviceProvider, nameOfDevice } from './devices.ts'
import { nameOfResource } from './resources.ts'
import { associationOf, keyOf, type Pair, providerOf } from './rows.ts'

/** Which class the devices of a kind are of. Source: as a host of Server 2012 R2 lists them. */
const CLASSES: Readonly<Partial<Record<KindName, string>>> = {
  ideController: 'Msvm_IDEController',
  scsiController: 'Msvm_SCSIProtocolController',
  disketteController: 'Msvm_DisketteController',
  disketteDrive: 'Msvm_DisketteDrive',
  dvdDrive: 'Msvm_DVDDrive',
  diskDrive: 'Msvm_DiskDrive',
  physicalDrive: 'Msvm_DiskDrive',
  hardDisk: 'Msvm_LogicalDisk',
  opticalDisk: 'Msvm_LogicalDisk',
  floppyDisk: 'Msvm_LogicalDisk',
  serialController: 'Msvm_SerialController',
  serialPort: 'Msvm_SerialPort',
}

const CLASS_NAMES = [...new Set(Object.values(CLASSES))]

/** The controllers, drives, images and serial ports of machines that run, the host's disks, and their settings. */
export function storageDevices(host: Host, schema: Schema): Provider[] {
  return [...storageDeviceClasses(host, schema), settingsOfDevices(host, schema)]
}

/** The devices alone, which are the same in either namespace; what joins them to their settings is not. */
export function storageDeviceClasses(host: Host, schema: Schema): Provider[] {
  return CLASS_NAMES.map(className =>
    deviceProvider(host, schema, {
      className,
      of: vm => devicesOf(host, vm, className).map(rowOfDevice),
      ...(className === 'Msvm_DiskDrive' ? { ofHost: () => hostDisks(host) } : {}),
    }),
  )
}

const classOf = (host: Host, settings: Settings): string | undefined => {
  const kind = kindOf(settings, host.state.build)
  return kind === undefined ? undefined : CLASSES[kind]
}

const devicesOf = (host: Host, vm: Vm, className: string): Settings[] =>
  vm.configuration.resources.filter(one => classOf(host, one) === className)

/** Source: the DeviceID is the InstanceID without the machine. */
const deviceId = (settings: Settings): string => `Microsoft:${ownerOfId(idOf(settings))?.rest ?? ''}`

function rowOfDevice(settings: Settings): DeviceRow {
  const name = textIn(settings, 'ElementName') ?? ''
  return { DeviceID: deviceId(settings), Caption: name, Description: name, ElementName: name, Name: name }
}

/** Source: DeviceID as a host of Server 2012 R2 prints it; MaxMediaSize is in KB by CIM. */
function hostDisks(host: Host): DeviceRow[] {
  return host.state.physicalDisks.map(({ number, bytes }) => {
    const name = `Disk ${number} ${(bytes / 2 ** 30).toFixed(2)} GB`
    return {
      DeviceID: diskDeviceId(number),
      Caption: 'Physical Disk Drive',
      DefaultBlockSize: 512n,
      Description: 'Microsoft Physical Disk Drive',
      DriveNumber: number,
      ElementName: name,
      MaxMediaSize: BigInt(Math.floor(bytes / 1024)),
      Name: name,
    }
  })
}

/** The device that a machine's settings make while it runs; undefined for what is none of storage. */
export function nameOfStorageDevice(host: Host, vm: Vm, settings: Settings): ObjectName | undefined {
  const className = classOf(host, settings)
  return className === undefined ? undefined : nameOfDevice(className, vm.id, deviceId(settings))
}

/** What joins a device to the settings that it is made by. */
function settingsOfDevices(host: Host, schema: Schema): Provider {
  const pairsOf = (vm: Vm): Pair[] => {
    if (!isActive(vm)) return []
    return vm.configuration.resources.flatMap((settings): Pair[] => {
      const device = nameOfStorageDevice(host, vm, settings)
      return device === undefined ? [] : [[device, nameOfResource(settings)]]
    })
  }
  return providerOf(schema, {
    classes: {
      Msvm_SettingsDefineState: associationOf(host, schema, {
        className: 'Msvm_SettingsDefineState',
        ends: ['ManagedElement', 'SettingData'],
        list: () => host.state.vms.flatMap(pairsOf),
        *of(object) {
          const vm = host.vm(keyOf(object, 'SystemName') ?? ownerOfId(keyOf(object, 'InstanceID') ?? '')?.owner ?? '')
          if (vm === undefined) return
          for (const pair of pairsOf(vm)) if (pair.some(end => isEnd(end, object))) yield pair
        },
      }),
    },
  })
}

const isEnd = (end: ObjectName, object: ObjectName): boolean =>
  ['DeviceID', 'InstanceID'].some(key => {
    const own = keyOf(end, key)
    return own !== undefined && sameId(own, keyOf(object, key) ?? '')
  })
