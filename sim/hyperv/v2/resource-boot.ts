import type { Instance, Schema } from '../cim/model.ts'
import type { ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { named, nameOfSettings } from '../host/names.ts'
import { type BootEntry, bootEntriesOf } from '../host/resources-boot.ts'
import { sameId } from '../host/resources-ids.ts'
import { type Owner, ownerOf, ownersOf } from '../host/resources-owner.ts'
import { idOf } from '../host/resources-settings.ts'
import { nameOfResource } from './resources.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from './rows.ts'

const CLASS = 'Msvm_BootSourceSettingData'

/** What machines of generation 2 can boot from, and what joins it to their settings and devices. */
export function bootSources(host: Host, schema: Schema): Provider {
  const row = (entry: BootEntry): Instance => bootRow(schema, entry)
  return providerOf(schema, {
    classes: {
      [CLASS]: {
        *list() {
          for (const { configuration } of ownersOf(host))
            for (const entry of bootEntriesOf(host, configuration)) yield row(entry)
        },
        find(keys) {
          const id = keys.get('InstanceID') ?? ''
          const owner = ownerOf(host, id)
          const entries = owner === undefined ? [] : bootEntriesOf(host, owner.configuration)
          const entry = entries.find(each => sameId(each.id, id))
          return entry === undefined ? undefined : row(entry)
        },
      },
      Msvm_BootSourceComponent: associationOf(host, schema, {
        className: 'Msvm_BootSourceComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const owner of ownersOf(host)) yield* pairsOf(host, owner)
        },
        *of(object) {
          const id = keyOf(object, 'InstanceID') ?? ''
          const owner = ownerOf(host, id)
          if (owner === undefined) return
          for (const pair of pairsOf(host, owner)) {
            if (pair.some(end => sameId(keyOf(end, 'InstanceID') ?? '', id))) yield pair
          }
        },
      }),
    },
  })
}

const nameOfSource = ({ id }: BootEntry): ObjectName => named(CLASS, { InstanceID: id })

/** A boot source belongs to the system settings, and to the device that it is made of. */
function* pairsOf(host: Host, { id, configuration }: Owner): Iterable<Pair> {
  for (const entry of bootEntriesOf(host, configuration)) {
    yield [nameOfSettings(id), nameOfSource(entry)]
    yield [nameOfResource(entry.device), nameOfSource(entry)]
  }
}

function bootRow(schema: Schema, { id, type, description, name, device }: BootEntry): Instance {
  return rowOf(schema, CLASS, {
    BootSourceDescription: description,
    BootSourceType: type,
    Caption: name,
    ElementName: name,
    FirmwareDevicePath: `\\AcpiEx(VMBus,0,0)\\VenHw(${idOf(device).split('\\')[1] ?? ''})`,
    InstanceID: id,
    OtherLocation: '',
  })
}
