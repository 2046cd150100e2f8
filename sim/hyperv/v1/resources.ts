import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Vm } from '../host/model.ts'
import { named, nameOfSettings } from '../host/names.ts'
import { sameId } from '../host/resources-ids.ts'
import { findOwned, type Owner, ownerOf, ownersOf, ownVm } from '../host/resources-owner.ts'
import { idOf } from '../host/resources-settings.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from '../v2/rows.ts'
import { definitionNamed, definitionRow, definitionsHere } from './definition-rows.ts'
import { COMPONENT_CLASSES, componentType, shownKind, SHOWN } from './translate-kinds.ts'
import { resourceRow } from './translate-resources.ts'

const CLASSES: readonly string[] = [
  ...new Set([...[...SHOWN.values()].map(({ className }) => className), ...COMPONENT_CLASSES]),
]

/** The settings of all resources: of machines, snapshots and definitions; and what joins them to what they are of. */
export function resources(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      ...Object.fromEntries(CLASSES.map(name => [name, settingsProvider(host, schema, name)])),
      Msvm_VirtualSystemSettingDataComponent: associationOf(host, schema, {
        className: 'Msvm_VirtualSystemSettingDataComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const owner of ownersOf(host)) yield* partsOf(host, owner)
        },
        of: object => partsAt(host, schema, object),
      }),
    },
  })
}

/** The class that settings are of here; undefined for what v1 does not show. */
export function classHere(host: Host, settings: Settings): string | undefined {
  if (componentType(settings) !== undefined) return settings.className
  return shownKind(settings, host.state.build)?.kind.className
}

/** The name of settings here; undefined for what v1 does not show. */
export function nameHere(host: Host, settings: Settings): ObjectName | undefined {
  const className = classHere(host, settings)
  return className === undefined ? undefined : named(className, { InstanceID: idOf(settings) })
}

function settingsProvider(host: Host, schema: Schema, className: string): ClassProvider {
  const row = (owner: Owner, settings: Settings): Instance =>
    rowOf(schema, className, resourceRow(host, settings, owner)?.row ?? {})
  return {
    *list() {
      for (const owner of ownersOf(host)) {
        for (const settings of owner.configuration.resources) {
          if (classHere(host, settings) === className) yield row(owner, settings)
        }
      }
      for (const definition of definitionsHere(host)) {
        if (definition.kind.className === className) yield definitionRow(host, schema, definition)
      }
    },
    find(keys) {
      const id = keys.get('InstanceID') ?? ''
      const owned = findOwned(host, id)
      if (owned !== undefined) {
        return classHere(host, owned.settings) === className ? row(owned.owner, owned.settings) : undefined
      }
      const definition = definitionNamed(host, id)
      return definition?.kind.className === className ? definitionRow(host, schema, definition) : undefined
    },
  }
}

function* partsOf(host: Host, { id, configuration }: Owner): Iterable<Pair> {
  for (const settings of configuration.resources) {
    const name = nameHere(host, settings)
    if (name !== undefined) yield [nameOfSettings(id), name]
  }
}

/** The pairs that an object is in: all of a system's, or the one of a resource. */
function* partsAt(host: Host, schema: Schema, object: ObjectName): Iterable<Pair> {
  if (!schema.isA(object.className, 'CIM_SettingData')) return
  const id = keyOf(object, 'InstanceID') ?? ''
  const owner = ownerOf(host, id)
  if (owner === undefined) return
  if (sameId(idOf(owner.configuration.system), id)) yield* partsOf(host, owner)
  const own = owner.configuration.resources.find(settings => sameId(idOf(settings), id))
  const name = own === undefined ? undefined : nameHere(host, own)
  if (name !== undefined) yield [nameOfSettings(owner.id), name]
}

/** The settings of a machine that v1 shows, each with its name here. */
export function shownOf(host: Host, vm: Vm): { readonly settings: Settings; readonly name: ObjectName }[] {
  return ownVm(vm).configuration.resources.flatMap(settings => {
    const name = nameHere(host, settings)
    return name === undefined ? [] : [{ settings, name }]
  })
}
