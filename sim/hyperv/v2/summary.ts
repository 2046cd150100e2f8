import { datetimeOf } from '../cim/datetime.ts'
import type { CimValue, Instance, Schema } from '../cim/model.ts'
import { parsePath } from '../cim/path.ts'
import type { ObjectName, Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import { findSettings, type FoundSettings } from '../host/definition.ts'
import { osNameOf } from '../host/guest.ts'
import type { Host } from '../host/host.ts'
import { cpuTimesOf, guestAnswers, heartbeatOf, loadOf, memoryUseOf, onTimeOf } from '../host/life.ts'
import type { PowerState, Snapshot, Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { logicalProcessors } from '../host/default-devices.ts'
import { hasPicture, pictureOf } from '../host/screen.ts'
import { memoryOf, processorsOf, textIn, textsIn } from '../host/settings.ts'
import { ENABLED_STATE, statusesOf, statusTexts } from './computer-system.ts'
import { textsGiven } from './given.ts'
import { jobRow } from './jobs.ts'
import { keyOf, providerOf, type Row, rowOf } from './rows.ts'
import { MANAGEMENT } from './services.ts'

/** What is asked about: a machine, or a snapshot of one. */
interface Subject extends FoundSettings {
  readonly isSnapshot: boolean
}

/** What the namespaces tell differently. */
export interface SummaryFace {
  readonly enabledState: Readonly<Record<PowerState, number>>
  /** Msvm_VirtualSystemSettingData of a snapshot. */
  snapshotRow(host: Host, schema: Schema, vm: Vm, snapshot: Snapshot): Instance
}

const V2_FACE: SummaryFace = {
  enabledState: ENABLED_STATE,
  snapshotRow: (_host, schema, _vm, { configuration: { system }, holdsState }) =>
    rowOf(schema, system.className, { ...system.values, IsSaved: holdsState }),
}

type Answer = (host: Host, schema: Schema, subject: Subject, face: SummaryFace) => Row

/**
 * What each code asks for. Source: Microsoft Learn, GetSummaryInformation (V2): up to 99 of machines and snapshots,
 * from 100 on of machines only; what runs is NULL of a machine that is off, as seen on Server 2025.
 */
const ANSWERS: Readonly<Record<number, Answer>> = {
  0: () => ({}),
  1: (_host, _schema, { configuration }) => ({ ElementName: textIn(configuration.system, 'ElementName') ?? '' }),
  2: (_host, _schema, { vm, configuration }) => ({
    CreationTime: textIn(configuration.system, 'CreationTime') ?? datetimeOf(vm.installedAt),
  }),
  3: (_host, _schema, { configuration }) => ({ Notes: textsIn(configuration.system, 'Notes')[0] ?? '' }),
  4: (_host, _schema, { configuration }) => ({ NumberOfProcessors: processorsOf(configuration) }),
  5: (host, _schema, subject) => thumbnail(host, subject, 80, 60),
  6: (host, _schema, subject) => thumbnail(host, subject, 160, 120),
  7: (host, _schema, subject) => thumbnail(host, subject, 320, 240),
  8: () => ({ AllocatedGPU: null }),
  9: (host, _schema, { configuration }) => ({ VirtualSwitchNames: switchNames(host, configuration) }),
  10: (_host, _schema, { configuration }) => ({ Version: textIn(configuration.system, 'Version') ?? '' }),
  11: () => ({ Shielded: false }),
  100: (_host, _schema, { vm }, face) => ({ EnabledState: face.enabledState[vm.power] }),
  101: (host, _schema, { vm }) => ({ ProcessorLoad: processorLoad(host, vm) }),
  102: (host, _schema, { vm }) => ({ ProcessorLoadHistory: loadHistory(host, vm) }),
  103: (host, _schema, { vm }) => ({ MemoryUsage: memoryUsage(host, vm) }),
  104: (host, _schema, { vm }) => ({ Heartbeat: heartbeatOf(host, vm) ?? null }),
  105: (host, _schema, { vm }) => ({ UpTime: BigInt(Math.floor(onTimeOf(host, vm))) }),
  106: (host, _schema, { vm }) => ({ GuestOperatingSystem: guestAnswers(host, vm) ? (osNameOf(vm) ?? null) : null }),
  107: (host, schema, { vm }, face) => ({
    Snapshots: vm.snapshots.map(snapshot => face.snapshotRow(host, schema, vm, snapshot)),
  }),
  108: (host, schema, { vm }) => ({ AsynchronousTasks: taskRows(host, schema, vm) }),
  109: () => ({ HealthState: 5 }),
  110: (_host, _schema, { vm }) => ({ OperationalStatus: statusesOf(vm) }),
  111: (host, _schema, { vm }) => ({ StatusDescriptions: statusTexts(host, vm) }),
  112: (host, _schema, { vm }) => ({ MemoryAvailable: memoryAvailable(host, vm) }),
  113: (host, _schema, { vm }) => ({ AvailableMemoryBuffer: memoryBuffer(host, vm) }),
  114: () => ({ ReplicationMode: 0 }),
  115: () => ({ ReplicationState: 0 }),
  116: () => ({ ReplicationHealth: 0 }),
  117: (host, _schema, { vm }) => ({ ApplicationHealth: guestAnswers(host, vm) ? APPLICATIONS_OK : null }),
  118: () => ({ ReplicationStateEx: [0] }),
  119: () => ({ ReplicationHealthEx: [0] }),
  120: (_host, _schema, { vm }) => ({ SwapFilesInUse: vm.processId === undefined ? null : false }),
  121: (host, _schema, { vm }) => ({ IntegrationServicesVersionState: versionState(host, vm) }),
  122: () => ({ ReplicationProviderId: [] }),
  123: (_host, _schema, { vm }) => ({ MemorySpansPhysicalNumaNodes: vm.processId === undefined ? null : false }),
  132: (host, _schema, { vm }) => ({
    IntegrationServicesVersionState: versionState(host, vm),
    OtherEnabledState: null,
  }),
}

/** Source: the ValueMaps of ApplicationHealth and IntegrationServicesVersionState in the MOF. */
const APPLICATIONS_OK = 2
const UP_TO_DATE = 1
const UNKNOWN = 0

const MACHINES_ONLY = 100
const CODES_MAX = 64

/** Msvm_VirtualSystemManagementService.GetSummaryInformation. */
export function summaries(host: Host, schema: Schema): Provider {
  return summariesAs(host, schema, V2_FACE)
}

/** The same, as a namespace tells it. */
export function summariesAs(host: Host, schema: Schema, face: SummaryFace): Provider {
  return providerOf(schema, {
    methods: {
      [`${MANAGEMENT.className}.GetSummaryInformation`]: ({ input }) =>
        answerNow(() => {
          const codes = codesIn(input.get('RequestedInformation'))
          const subjects = input.has('SettingData') ? subjectsAt(host, textsGiven(input, 'SettingData')) : allOf(host)
          return { SummaryInformation: subjects.map(subject => summaryRow(host, schema, subject, codes, face)) }
        }),
    },
  })
}

function codesIn(value: CimValue | undefined): number[] {
  const codes = Array.isArray(value) ? value.filter(item => typeof item === 'number') : []
  if (codes.length <= CODES_MAX) return codes
  throw new OperationError(Return.invalidParameter, 'Too much was asked for.')
}

function allOf(host: Host): Subject[] {
  return host.state.vms.map(vm => ({ vm, configuration: vm.configuration, isSnapshot: false }))
}

/** Those that references name, one for each; undefined for what is not there. */
function subjectsAt(host: Host, paths: readonly string[]): (Subject | undefined)[] {
  return paths.map(path => {
    const name: ObjectName | undefined = parsePath(path)
    const found = name === undefined ? undefined : findSettings(host, keyOf(name, 'InstanceID') ?? '')
    return found === undefined ? undefined : { ...found, isSnapshot: found.configuration !== found.vm.configuration }
  })
}

/**
 * Name is always told, and empty of what is not there; what was not asked for stays NULL, and so does what a code asks
 * for that this build does not know. Source: Microsoft Learn, GetSummaryInformation (V2).
 */
function summaryRow(
  host: Host,
  schema: Schema,
  subject: Subject | undefined,
  codes: readonly number[],
  face: SummaryFace,
): Instance {
  if (subject === undefined) return rowOf(schema, 'Msvm_SummaryInformation', { InstanceID: '', Name: '' })
  const { system } = subject.configuration
  let row: Row = { InstanceID: textIn(system, 'InstanceID') ?? '', Name: idOf(subject.configuration) }
  for (const code of codes) {
    if (subject.isSnapshot && code >= MACHINES_ONLY) continue
    row = { ...row, ...ANSWERS[code]?.(host, schema, subject, face) }
  }
  return rowOf(schema, 'Msvm_SummaryInformation', row)
}

function versionState(host: Host, vm: Vm): number {
  return guestAnswers(host, vm) ? UP_TO_DATE : UNKNOWN
}

function idOf(configuration: Subject['configuration']): string {
  return (textIn(configuration.system, 'InstanceID') ?? '').replace('Microsoft:', '')
}

function thumbnail(host: Host, { vm, isSnapshot }: Subject, width: number, height: number): Row {
  if (isSnapshot || !hasPicture(vm)) return {}
  const ThumbnailImage = pictureOf(host, vm, { width, height })
  return { ThumbnailImage, ThumbnailImageHeight: height, ThumbnailImageWidth: width }
}

function switchNames(host: Host, configuration: Subject['configuration']): string[] {
  const names: string[] = []
  for (const settings of configuration.resources) {
    if (settings.className !== 'Msvm_EthernetPortAllocationSettingData') continue
    for (const path of textsIn(settings, 'HostResource')) {
      const id = parsePath(path)?.keys.get('Name')?.toUpperCase()
      const found = host.state.switches.find(one => one.id === id)
      const name = textIn(found?.settings, 'ElementName')
      if (name !== undefined && !names.includes(name)) names.push(name)
    }
  }
  return names
}

/** Of all that the host's processors can do, in percent; NULL of what does not run. */
function processorLoad(host: Host, vm: Vm): number | null {
  if (vm.processId === undefined) return null
  const busy = cpuTimesOf(host, vm).reduce((sum, _time, processor) => sum + loadOf(host, vm, processor), 0)
  return Math.min(100, Math.round((busy / logicalProcessors(host)) * 100))
}

function loadHistory(host: Host, vm: Vm): number[] | null {
  const load = processorLoad(host, vm)
  return load === null ? null : [load]
}

function memoryUsage(host: Host, vm: Vm): bigint | null {
  const use = memoryUseOf(host, vm)
  return use === undefined ? null : BigInt(use.assignedMb)
}

/** In percent of what is assigned; only of dynamic memory. */
function memoryAvailable(host: Host, vm: Vm): number | null {
  const use = dynamicUse(host, vm)
  return use === undefined ? null : Math.round(((use.assignedMb - use.demandMb) / use.assignedMb) * 100)
}

/** In percent of the buffer that is wanted; only of dynamic memory. */
function memoryBuffer(host: Host, vm: Vm): number | null {
  const use = dynamicUse(host, vm)
  if (use === undefined) return null
  const wanted = (use.demandMb * memoryOf(vm.configuration).bufferPercent) / 100
  return wanted === 0 ? 100 : Math.round(((use.assignedMb - use.demandMb) / wanted) * 100)
}

function dynamicUse(host: Host, vm: Vm) {
  return memoryOf(vm.configuration).isDynamic && guestAnswers(host, vm) ? memoryUseOf(host, vm) : undefined
}

function taskRows(host: Host, schema: Schema, vm: Vm): Instance[] {
  const isAbout = (name: ObjectName): boolean => keyOf(name, 'Name') === vm.id
  const running = host.jobs.list().filter(job => !job.hasEnded && job.affected.some(({ name }) => isAbout(name)))
  return running.map(job => jobRow(host, schema, job))
}
