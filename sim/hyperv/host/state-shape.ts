import type {
  Configuration,
  ExternalPort,
  HostState,
  InternalPort,
  MountedImage,
  PhysicalDisk,
  Settings,
  Snapshot,
  Switch,
  SwitchPort,
  Vm,
} from './model.ts'

/** What is wrong with a value, as where and what; undefined where it is right. */
type Check = (value: unknown, where: string) => string | undefined

/** One check for each property, so that the checks are kept in step with the model by the compiler. */
type Shape<T> = { readonly [K in keyof T]-?: Check }

/** The first mistake in what claims to be the state of a host; undefined where there is none. */
export function mistakeIn(value: unknown): string | undefined {
  return object(STATE)(value, 'state')
}

/** Whether a value is the state of a host, through and through. */
export function isState(value: unknown): value is HostState {
  return mistakeIn(value) === undefined
}

const text = typed('string')
const number = typed('number')
const flag = typed('boolean')
const big = typed('bigint')

const SETTINGS: Shape<Settings> = { className: text, values: mapOf(cimValue) }

const CONFIGURATION: Shape<Configuration> = { system: object(SETTINGS), resources: listOf(object(SETTINGS)) }

const SNAPSHOT: Shape<Snapshot> = {
  id: text,
  configuration: object(CONFIGURATION),
  parent: optional(text),
  createdAt: number,
  holdsState: flag,
}

const VM: Shape<Vm> = {
  id: text,
  configuration: object(CONFIGURATION),
  power: oneOf(
    'off',
    'running',
    'paused',
    'saved',
    'starting',
    'stopping',
    'saving',
    'pausing',
    'resuming',
    'snapshotting',
  ),
  secondaryStatus: optional(number),
  installedAt: number,
  stateChangedAt: number,
  configuredAt: number,
  processId: optional(number),
  runningSince: optional(number),
  ranMs: number,
  cpuTime: listOf(big),
  guestUpAt: optional(number),
  stoodStillAt: optional(number),
  snapshots: listOf(object(SNAPSHOT)),
  lastSnapshot: optional(text),
  appliedSnapshot: optional(text),
  hostItems: mapOf(text),
  guest: oneOf('windows', 'linux', 'none'),
  pressedKeys: listOf(number),
  pointer: optional(object({ x: number, y: number })),
  typed: text,
  ranAtShutdown: flag,
  keyProtector: optional(text),
  metricsSince: optional(number),
  metrics: optional(listOf(text)),
}

const PORT: Shape<SwitchPort> = { id: text, name: text, connectedTo: optional(text) }

const SWITCH: Shape<Switch> = {
  id: text,
  settings: object(SETTINGS),
  kind: oneOf('private', 'internal', 'external'),
  externalPort: optional(text),
  hasHostPort: flag,
  ports: listOf(object(PORT)),
  learnableAddresses: number,
  features: optional(listOf(object(SETTINGS))),
}

const EXTERNAL_PORT: Shape<ExternalPort> = { id: text, name: text, address: text }
const INTERNAL_PORT: Shape<InternalPort> = { id: text, name: text, address: text }
const PHYSICAL_DISK: Shape<PhysicalDisk> = { number, id: text, bytes: number }
const MOUNTED: Shape<MountedImage> = { path: text, number, isReadOnly: optional(flag) }

const STATE: Shape<HostState> = {
  version: number,
  name: text,
  uuid: text,
  build: number,
  bootedAt: number,
  memoryMb: number,
  sockets: number,
  coresPerSocket: number,
  threadsPerCore: number,
  vms: listOf(object(VM)),
  switches: listOf(object(SWITCH)),
  externalPorts: listOf(object(EXTERNAL_PORT)),
  physicalDisks: listOf(object(PHYSICAL_DISK)),
  mounted: listOf(object(MOUNTED)),
  serviceSettings: optional(mapOf(cimValue)),
  internalPorts: optional(listOf(object(INTERNAL_PORT))),
  boundPorts: optional(listOf(text)),
  nextProcessId: number,
  nextMac: number,
}

function typed(type: 'string' | 'number' | 'boolean' | 'bigint'): Check {
  return (value, where) => (typeof value === type ? undefined : `${where} is not a ${type}`)
}

function optional(check: Check): Check {
  return (value, where) => (value === undefined ? undefined : check(value, where))
}

function oneOf(...words: readonly string[]): Check {
  return (value, where) => (words.some(word => word === value) ? undefined : `${where} is none of ${words.join(', ')}`)
}

function listOf(check: Check): Check {
  return (value, where) => {
    if (!Array.isArray(value)) return `${where} is not a list`
    return firstOf(value.entries(), ([index, item]) => check(item, `${where}[${index}]`))
  }
}

function mapOf(check: Check): Check {
  return (value, where) => {
    if (!isRecord(value)) return `${where} is not an object`
    return firstOf(Object.entries(value), ([name, item]) => check(item, `${where}.${name}`))
  }
}

function object(shape: Readonly<Record<string, Check>>): Check {
  return (value, where) => {
    if (!isRecord(value)) return `${where} is not an object`
    const strange = Object.keys(value).find(name => !Object.hasOwn(shape, name))
    if (strange !== undefined) return `${where} has an unknown ${strange}`
    return firstOf(Object.entries(shape), ([name, check]) => check(value[name], `${where}.${name}`))
  }
}

/** Settings hold plain values: an embedded instance is never among them. */
function cimValue(value: unknown, where: string): string | undefined {
  if (Array.isArray(value)) return listOf(cimScalar)(value, where)
  return value === null ? undefined : cimScalar(value, where)
}

function cimScalar(value: unknown, where: string): string | undefined {
  const isPlain = ['string', 'number', 'boolean', 'bigint'].includes(typeof value)
  return isPlain ? undefined : `${where} is not a value`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function firstOf<T>(items: Iterable<T>, mistake: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = mistake(item)
    if (found !== undefined) return found
  }
  return undefined
}
