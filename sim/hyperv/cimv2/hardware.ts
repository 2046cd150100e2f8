import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { openStorage, spaceOf } from '../storage/storage.ts'
import type { ExternalPort, PhysicalDisk } from '../host/model.ts'
import { providerOf, type Row, rowOf } from '../v2/rows.ts'

const SYSTEM = 'Win32_ComputerSystem'

/** Disks and network cards of the host. */
export function hardware(host: Host, schema: Schema): Provider {
  const { state } = host
  return providerOf(schema, {
    classes: {
      Win32_DiskDrive: {
        list: () => state.physicalDisks.map(disk => rowOf(schema, 'Win32_DiskDrive', diskRow(host, disk))),
      },
      Win32_LogicalDisk: {
        list: () => drivesOf(host).map(drive => rowOf(schema, 'Win32_LogicalDisk', volumeRow(host, drive))),
      },
      Win32_NetworkAdapter: {
        list: () => state.externalPorts.map((port, index) => rowOf(schema, ADAPTER, adapterRow(host, port, index + 1))),
      },
      Win32_NetworkAdapterConfiguration: {
        list: () => state.externalPorts.map((port, index) => rowOf(schema, CONFIGURATION, addressRow(port, index + 1))),
      },
    },
  })
}

const ADAPTER = 'Win32_NetworkAdapter'
const CONFIGURATION = 'Win32_NetworkAdapterConfiguration'

function diskRow({ state }: Host, { number, bytes }: PhysicalDisk): Row {
  const sectors = BigInt(Math.floor(bytes / 512))
  return {
    BytesPerSector: 512,
    Caption: 'Polyvisor Virtual Disk',
    CreationClassName: 'Win32_DiskDrive',
    Description: 'Disk drive',
    DeviceID: `\\\\.\\PHYSICALDRIVE${number}`,
    Index: number,
    InterfaceType: 'SCSI',
    Manufacturer: '(Standard disk drives)',
    MediaLoaded: true,
    MediaType: 'Fixed hard disk media',
    Model: 'Polyvisor Virtual Disk',
    Name: `\\\\.\\PHYSICALDRIVE${number}`,
    Partitions: number === 0 ? 2 : 0,
    SCSIBus: 0,
    SCSILogicalUnit: number,
    SCSIPort: 0,
    SCSITargetId: 0,
    Size: sectors * 512n,
    Status: 'OK',
    SystemCreationClassName: SYSTEM,
    SystemName: state.name,
    TotalSectors: sectors,
  }
}

const drivesOf = (host: Host): readonly string[] =>
  (openStorage(host)?.files.drives() ?? ['C']).map(letter => `${letter}:`)

/** DriveType 3 is a local disk, MediaType 12 a fixed one. Source: Microsoft Learn, Win32_LogicalDisk. */
function volumeRow(host: Host, drive: string): Row {
  const { state } = host
  const { bytes, freeBytes } = spaceOf(host, `${drive}\\`)
  return {
    Access: 0,
    Caption: drive,
    Compressed: false,
    CreationClassName: 'Win32_LogicalDisk',
    Description: 'Local Fixed Disk',
    DeviceID: drive,
    DriveType: 3,
    FileSystem: 'NTFS',
    FreeSpace: BigInt(freeBytes),
    MaximumComponentLength: 255,
    MediaType: 12,
    Name: drive,
    Size: BigInt(bytes),
    SupportsDiskQuotas: true,
    SupportsFileBasedCompression: true,
    SystemCreationClassName: SYSTEM,
    SystemName: state.name,
    VolumeName: '',
    VolumeSerialNumber: state.uuid.slice(0, 8),
  }
}

/** AdapterTypeID 0 is Ethernet, NetConnectionStatus 2 connected. Source: Microsoft Learn, Win32_NetworkAdapter. */
function adapterRow({ state }: Host, { id, name, address }: ExternalPort, index: number): Row {
  return {
    AdapterType: 'Ethernet 802.3',
    AdapterTypeID: 0,
    Availability: 3,
    Caption: captionOf(name, index),
    ConfigManagerErrorCode: 0,
    ConfigManagerUserConfig: false,
    CreationClassName: ADAPTER,
    Description: name,
    DeviceID: String(index),
    GUID: `{${id}}`,
    Index: index,
    Installed: true,
    InterfaceIndex: index + 1,
    MACAddress: withColons(address),
    Manufacturer: 'Intel Corporation',
    MaxNumberControlled: 0,
    Name: name,
    NetConnectionID: index === 1 ? 'Ethernet' : `Ethernet ${index}`,
    NetConnectionStatus: 2,
    NetEnabled: true,
    PhysicalAdapter: true,
    PowerManagementSupported: false,
    ProductName: name,
    ServiceName: 'e1i65x64',
    Speed: 1_000_000_000n,
    SystemCreationClassName: SYSTEM,
    SystemName: state.name,
  }
}

function addressRow({ id, name, address }: ExternalPort, index: number): Row {
  const isFirst = index === 1
  return {
    Caption: captionOf(name, index),
    DHCPEnabled: true,
    DNSHostName: null,
    Description: name,
    IPAddress: isFirst ? ['192.0.2.10'] : null,
    IPEnabled: isFirst,
    IPSubnet: isFirst ? ['255.255.255.0'] : null,
    Index: index,
    InterfaceIndex: index + 1,
    MACAddress: withColons(address),
    ServiceName: 'e1i65x64',
    SettingID: `{${id}}`,
  }
}

const captionOf = (name: string, index: number): string => `[${String(index).padStart(8, '0')}] ${name}`
const withColons = (address: string): string => address.match(/../g)?.join(':') ?? address
