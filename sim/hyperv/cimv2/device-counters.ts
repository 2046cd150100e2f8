import type { Instance, Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { onTimeOf } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { fractionOf } from '../host/random.ts'
import { imagePath, imagesOf, isActive } from '../host/resources-images.ts'
import { kindOf } from '../host/resources-settings.ts'
import { nameOfVm, numberIn, textIn, textsIn } from '../host/settings.ts'
import { providerOf } from '../v2/rows.ts'
import { counterRows, numbered } from './counters.ts'

// Counters of the devices of machines that run. What they count follows from the time their machine has run.

const STORAGE = 'Win32_PerfRawData_Counters_HyperVVirtualStorageDevice'
const NETWORK = 'Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter'

/** At most so many bytes in a millisecond. */
const DISK_BYTES_PER_MS = 4_096
const NIC_BYTES_PER_MS = 512
/** What a request and a packet carry. */
const REQUEST_BYTES = 8_192n
const PACKET_BYTES = 512n
const WRITES_PER_FLUSH = 16n
const PACKETS_PER_DROP = 1_000n
/** Counters of requests have 32 bits. */
const COUNT_VALUES = 2n ** 32n

/** EnabledState of a connection that is plugged in. */
const PLUGGED = 2

/** Counters of images in drives, and of adapters that are plugged in. */
export function deviceCounters(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      [STORAGE]: { list: () => storageRows(host, schema) },
      [NETWORK]: { list: () => networkRows(host, schema) },
    },
  })
}

/** Source: an instance is called as its file is, with a dash for each backslash; so they were seen on hosts. */
function* storageRows(host: Host, schema: Schema): Iterable<Instance> {
  const row = counterRows(host, schema, STORAGE)
  function* named(): Iterable<readonly [string, Vm]> {
    for (const vm of host.state.vms.filter(isActive)) {
      for (const settings of imagesOf(host, vm)) {
        const path = imagePath(settings)
        if (path !== undefined) yield [path.replaceAll('\\', '-'), vm]
      }
    }
  }
  for (const [name, vm] of numbered(named())) {
    const counted = (what: string): bigint => bytesOf(host, vm, `${name}\\${what}`, DISK_BYTES_PER_MS)
    const [read, written] = [counted('read'), counted('written')]
    const writes = written / REQUEST_BYTES
    yield row(name, {
      ReadBytesPersec: read,
      WriteBytesPersec: written,
      ReadCount: countOf(read / REQUEST_BYTES),
      WriteCount: countOf(writes),
      FlushCount: countOf(writes / WRITES_PER_FLUSH),
    })
  }
}

/** Source: an instance is called after machine and adapter, and holds the GUID of the adapter; clients find it by that. */
function* networkRows(host: Host, schema: Schema): Iterable<Instance> {
  const row = counterRows(host, schema, NETWORK)
  for (const vm of host.state.vms.filter(isActive)) {
    for (const { label, guid } of pluggedAdapters(host, vm)) {
      const received = bytesOf(host, vm, `${guid}\\received`, NIC_BYTES_PER_MS)
      const sent = bytesOf(host, vm, `${guid}\\sent`, NIC_BYTES_PER_MS)
      const [receivedPackets, sentPackets] = [received / PACKET_BYTES, sent / PACKET_BYTES]
      yield row(`${nameOfVm(vm)}_${label}_${vm.id}--${guid}`, {
        BytesPersec: received + sent,
        BytesReceivedPersec: received,
        BytesSentPersec: sent,
        PacketsPersec: receivedPackets + sentPackets,
        PacketsReceivedPersec: receivedPackets,
        PacketsSentPersec: sentPackets,
        DroppedPacketsIncomingPersec: receivedPackets / PACKETS_PER_DROP,
      })
    }
  }
}

function pluggedAdapters(host: Host, vm: Vm): { readonly label: string; readonly guid: string }[] {
  const { resources } = vm.configuration
  const plugged = resources.flatMap(one => {
    if (kindOf(one, host.state.build) !== 'connection' || numberIn(one, 'EnabledState') !== PLUGGED) return []
    return textsIn(one, 'HostResource').some(path => path !== '') ? [idIn(textIn(one, 'InstanceID'))] : []
  })
  return resources.flatMap(one => {
    const kind = kindOf(one, host.state.build)
    const guid = idIn(textIn(one, 'InstanceID'))
    if ((kind !== 'syntheticPort' && kind !== 'emulatedPort') || !plugged.includes(guid)) return []
    return [{ label: textIn(one, 'ElementName') ?? '', guid }]
  })
}

const countOf = (count: bigint): number => Number(count % COUNT_VALUES)

/** The GUID of the adapter in the InstanceID of its settings, or of its connection's. */
const idIn = (instanceId = ''): string => instanceId.split('\\')[1]?.toUpperCase() ?? ''

function bytesOf(host: Host, vm: Vm, what: string, perMs: number): bigint {
  return BigInt(Math.floor(onTimeOf(host, vm) * perMs * fractionOf(`${vm.id}\\${what}`)))
}
