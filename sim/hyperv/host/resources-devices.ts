import type { CimValue } from '../cim/model.ts'
import { isList } from '../cim/value.ts'
import type { Settings } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { type Draft, type Given, type ResourceContext, refusal } from './resources-context.ts'
import { newSettings } from './resources-given.ts'
import { resourceId } from './resources-ids.ts'
import type { KindName } from './resources-kinds.ts'
import { kindOf, type Values, withValues } from './resources-settings.ts'
import type { Reason } from './resources-texts.ts'

/** Adds a battery; a machine has at most one. */
export function addBattery(context: ResourceContext, draft: Draft, kind: KindName, given: Given): Settings {
  const { host } = context
  const fail = (reason: Reason, code?: number): OperationError =>
    refusal(host, draft.owner, { doing: 'add', kind, reason, code })
  // What has no sub type is known by its class alone.
  if (given.className !== 'Msvm_BatterySettingData') throw fail('unknownType')
  if (draft.owner.vm.power !== 'off') throw fail('state', Return.invalidState)
  if (draft.resources.some(one => kindOf(one, host.state.build) === kind)) throw fail('tooMany')
  return newSettings(context, kind, given, { InstanceID: resourceId(draft.owner.id, host.random.guid()) })
}

/** Takes a battery away. */
export function removeBattery(context: ResourceContext, draft: Draft, battery: Settings): void {
  if (draft.owner.vm.power !== 'off') {
    const what = { doing: 'remove', kind: 'battery', reason: 'state', code: Return.invalidState } as const
    throw refusal(context.host, draft.owner, what)
  }
  draft.resources = draft.resources.filter(one => one !== battery)
}

/** Whether a value may be where it is given. */
type Check = (value: CimValue) => boolean

const among =
  (...values: readonly number[]): Check =>
  value =>
    typeof value === 'number' && values.includes(value)
const anything: Check = () => true
const screenSize: Check = value => typeof value === 'number' && value >= 640 && value <= 7680

/** A named pipe of the host or of another; an empty text is none. */
const PIPE = /^\\\\[^\\]+\\pipe\\[^\\].*$/i
const pipes: Check = value =>
  isList(value) &&
  value.length <= 1 &&
  value.every(text => text === '' || (typeof text === 'string' && PIPE.test(text)))

/** What else may be changed, by kind. Source: the recipes that were run on Server 2025; ValueMaps of the MOF. */
const CHANGEABLE: Readonly<Partial<Record<KindName, Readonly<Record<string, Check>>>>> = {
  serialPort: { Connection: pipes, DebuggerMode: anything },
  syntheticDisplay: {
    ResolutionType: among(2, 3, 4),
    HorizontalResolution: screenSize,
    VerticalResolution: screenSize,
  },
  scsiController: { ElementName: anything, VirtualSystemIdentifiers: anything, TargetVtl: anything },
  pmemController: { ElementName: anything },
  battery: { ElementName: anything },
}

/** Changes a device that has a few things to change; anything else of it is refused. */
export function modifyDevice(context: ResourceContext, draft: Draft, before: Settings, changes: Values): Settings {
  const { host } = context
  const kind = kindOf(before, host.state.build)
  const checks = kind === undefined ? undefined : CHANGEABLE[kind]
  for (const [name, value] of Object.entries(changes)) {
    const isFit = value !== undefined && checks?.[name]?.(value) === true
    if (!isFit) throw refusal(host, draft.owner, { doing: 'modify', ...(kind ? { kind } : {}), reason: 'invalid' })
  }
  return withValues(before, changes)
}

const COMPONENT = /^Msvm_\w+ComponentSettingData$/

/** Whether settings are those of an integration component. */
export const isComponent = (settings: Settings): boolean => COMPONENT.test(settings.className)

/** Turns an integration component on or off, also while the machine runs. */
export function modifyComponent(context: ResourceContext, draft: Draft, before: Settings, changes: Values): Settings {
  const states = among(2, 3)
  const checks: Readonly<Record<string, Check>> = {
    EnabledState: states,
    DefaultEnabledStatePolicy: states,
    DisableHostKVPItems: anything,
    ErrorThreshold: anything,
    Interval: anything,
    Latency: anything,
  }
  for (const [name, value] of Object.entries(changes)) {
    const isFit = value !== undefined && checks[name]?.(value) === true
    if (!isFit) throw refusal(context.host, draft.owner, { doing: 'modify', reason: 'invalid' })
  }
  return withValues(before, changes)
}
