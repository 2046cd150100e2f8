import type { CimValue } from '../cim/model.ts'
import { isList } from '../cim/value.ts'
import { editionOf } from '../host/default-devices.ts'
import type { Host } from '../host/host.ts'
import type { Given } from '../host/resources-context.ts'
import { numberGiven, textGiven, textsGiven } from '../host/resources-given.ts'
import { classOfKind, KINDS, type KindName, type ResourceKind } from '../host/resources-kinds.ts'
import { keyIn } from '../host/resources-references.ts'
import { isDrive, isImage } from '../host/slots.ts'
import { kindOfWords, SHOWN } from './translate-kinds.ts'
import { toV2Path } from './translate-paths.ts'

/** What is given of a resource, in the words of v2. */
export interface ResourceGiven {
  readonly given: Given
  /** Of an adapter: the paths of ports that it is to be at; undefined where nothing is said. */
  readonly connection: readonly string[] | undefined
}

/**
 * Which kind is meant: by type and sub type, or by the path of a definition row in the place of a sub type.
 * Source: the driver of the older document sends that path.
 */
export function kindGivenHere(given: Given): KindName | undefined {
  const subType = textGiven(given, 'ResourceSubType') ?? ''
  const id = keyIn(subType, /SettingData$/i, 'InstanceID') ?? ''
  const [, definition] = /^Microsoft:Definition\\([0-9A-F-]{36})\\Default$/i.exec(id) ?? []
  if (definition !== undefined) return kindDefined(definition)
  return kindOfWords(numberGiven(given, 'ResourceType') ?? 0, subType, textGiven(given, 'OtherResourceType') ?? '')
}

function kindDefined(definition: string): KindName | undefined {
  for (const name of SHOWN.keys()) {
    const kind: ResourceKind = KINDS[name]
    if (kind.definition?.toLowerCase() === definition.toLowerCase()) return name
  }
  return undefined
}

/** A resource that is to be added. One of an unknown kind stays without a type, for the operation to refuse. */
export function newResourceGiven(host: Host, given: Given): ResourceGiven {
  const name = kindGivenHere(given)
  if (name === undefined) return { given: { className: given.className, values: new Map() }, connection: undefined }
  const kind: ResourceKind = KINDS[name]
  const { values, connection } = wordsGiven(host, name, given)
  values.set('ResourceType', kind.type)
  values.set('ResourceSubType', kind.subType)
  if (kind.otherType !== undefined) values.set('OtherResourceType', kind.otherType)
  return { given: { className: classOfKind(kind, editionOf(host).build), values }, connection }
}

/** Said by the host, or said otherwise in v2. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'AllocationUnits',
  'OtherResourceType',
  'PoolID',
  'ProcessorsPerSocket',
  'ResourceSubType',
  'ResourceType',
  'SocketCount',
])

interface Words {
  readonly values: Map<string, CimValue>
  readonly connection: readonly string[] | undefined
}

/** What is given of a resource of a kind, in the words of v2. */
export function wordsGiven(host: Host, kind: KindName, given: Given): Words {
  const values = new Map<string, CimValue>()
  for (const [name, value] of given.values) {
    if (value === null || LEFT_OUT.has(name)) continue
    const word = wordOf(kind, name, value)
    if (word !== undefined) values.set(word, valueOf(host, word, value))
  }
  if (kind === 'processor') takeSockets(values, given)
  const isAdapter = kind === 'syntheticPort' || kind === 'emulatedPort'
  return { values, connection: isAdapter ? textsGiven(given, 'Connection') : undefined }
}

/** What a property is called in v2; undefined where it means nothing there. */
function wordOf(kind: KindName, name: string, value: CimValue): string | undefined {
  const isNothing = value === '' || (isList(value) && value.every(item => item === ''))
  if (name === 'Address') return isDrive(kind) ? 'AddressOnParent' : isImage(kind) ? undefined : 'Address'
  if (name === 'Connection') {
    if (isImage(kind)) return 'HostResource'
    return kind === 'serialPort' ? 'Connection' : undefined
  }
  // An image's file stands in Connection here.
  if (name === 'HostResource') return kind === 'physicalDrive' && !isNothing ? 'HostResource' : undefined
  return name
}

function valueOf(host: Host, word: string, value: CimValue): CimValue {
  if (word === 'Parent' && typeof value === 'string') return toV2Path(host, value)
  if (word !== 'HostResource' || !isList(value)) return value
  return value.map(item => (typeof item === 'string' ? resourceGiven(host, item) : item))
}

/** A disk of the host by its path, or a file, of which some clients double the backslashes as if it were in a query. */
function resourceGiven(host: Host, text: string): string {
  const path = toV2Path(host, text)
  return path === text ? text.replaceAll(/(?<=.)\\{2,}/g, '\\') : path
}

/** Sockets and processors of each say how many there are, where nothing else does. */
function takeSockets(values: Map<string, CimValue>, given: Given): void {
  const [sockets, perSocket] = ['SocketCount', 'ProcessorsPerSocket'].map(name => numberGiven(given, name))
  if (values.has('VirtualQuantity') || sockets === undefined || perSocket === undefined) return
  values.set('VirtualQuantity', BigInt(sockets * perSocket))
}
