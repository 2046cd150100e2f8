import type { CimValue, Schema } from '../cim/model.ts'
import { parsePath } from '../cim/path.ts'
import type { Method, MethodCall, MethodResult, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { Effect } from '../host/jobs.ts'
import type { Switch } from '../host/model.ts'
import type { Given } from '../host/resources-context.ts'
import { textGiven as textIn, textsGiven as textsIn } from '../host/resources-given.ts'
import { sameId } from '../host/resources-ids.ts'
import {
  addHostPort,
  bindExternal,
  createSwitch,
  deleteSwitch,
  isBound,
  modifySwitch,
  removePort,
  switchName,
  switchRefusal,
} from '../host/switches.ts'
import { nameGiven, textGiven } from './given.ts'
import { idsGiven, instancesGiven, reading } from './resource-context.ts'
import { keyOf, pathIn, providerOf } from './rows.ts'
import { serviceProvider } from './services.ts'
import { switchFeatureMethods } from './switch-features.ts'
import { changeSwitch, SWITCH_SERVICE, SwitchJob } from './switch-job.ts'
import {
  ALLOCATION,
  embeddedGiven,
  type PortGiven,
  portsGiven,
  portTo,
  switchGiven,
  switchOfSettings,
} from './switch-given.ts'
import { allocationNamed, nameOfAllocation, nameOfSwitch } from './switches.ts'

const SETTINGS = 'Msvm_VirtualEthernetSwitchSettingData'

/** The service for switches and its methods. */
export function switchService(host: Host, schema: Schema): Provider {
  const service = serviceProvider(host, schema, SWITCH_SERVICE)
  const methods: Readonly<Record<string, Method>> = {
    DefineSystem: call => defineSystem(host, schema, call),
    DestroySystem: call => destroySystem(host, call),
    ModifySystemSettings: call => modifySystem(host, schema, call),
    AddResourceSettings: call => addPorts(host, schema, call),
    ModifyResourceSettings: call => modifyPorts(host, schema, call),
    RemoveResourceSettings: call => removePorts(host, call),
    ...switchFeatureMethods(host, schema),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${SWITCH_SERVICE.className}.${name}`, method])
  return {
    ...service,
    methods: { ...service.methods, ...providerOf(schema, { methods: Object.fromEntries(named) }).methods },
  }
}

// A switch on which the host has no card, and the outside neither, was recorded to be made at once.
function defineSystem(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => ({
    settings: embeddedGiven(host, schema, textGiven(call.input, 'SystemSettings'), SETTINGS),
    ports: portsGiven(host, schema, call, 'ResourceSettings'),
  })
  return reading(read, ({ settings, ports }) => {
    const name = textIn(settings, 'ElementName') || DEFAULT_NAME
    return changeSwitch(host, {
      call,
      type: SwitchJob.define,
      target: name,
      usually: ports.length === 0 ? 'now' : 'job',
      work(run) {
        const made = make(host, name, settings, ports)
        run.affects(nameOfSwitch(made.id), Effect.create)
        return { ResultingSystem: pathIn(host, nameOfSwitch(made.id)) }
      },
    })
  })
}

const DEFAULT_NAME = 'New Virtual Switch'

function make(host: Host, name: string, settings: Given, ports: readonly PortGiven[]): Switch {
  const external = ports.filter(port => port.to === 'card')
  const own = ports.filter(port => port.to === 'host')
  if (external.length > 1 || own.length > 1) throw switchRefusal(host, name, 'invalid')
  const [card] = external
  const [hostPort] = own
  const notes = textsIn(settings, 'Notes')
  return createSwitch(host, {
    name,
    values: settingsValues(settings),
    ...(notes === undefined ? {} : { notes }),
    ...(card === undefined ? {} : { externalPort: card.card, ...namedAs('externalPortName', card) }),
    ...(hostPort === undefined ? {} : { hasHostPort: true, ...namedAs('hostPortName', hostPort) }),
  })
}

const namedAs = (key: 'externalPortName' | 'hostPortName', { name }: PortGiven): Readonly<Record<string, string>> =>
  name === '' ? {} : { [key]: name }

/** What a caller may say of a switch besides its name and notes. */
const CHOSEN: ReadonlySet<string> = new Set([
  'AllowNetLbfoTeams',
  'BandwidthReservationMode',
  'BypassExtensionStack',
  'ExtensionOrder',
  'IOVPreferred',
  'PacketDirectEnabled',
  'RequiredExtensionIds',
  'TeamingEnabled',
])

function settingsValues(settings: Given): Record<string, CimValue> {
  const values: Record<string, CimValue> = {}
  for (const [name, value] of settings.values) if (CHOSEN.has(name) && value !== null) values[name] = value
  // 0 asks for the default, which a host was seen to read back as 2, absolute.
  if (values['BandwidthReservationMode'] === 0) delete values['BandwidthReservationMode']
  return values
}

function destroySystem(host: Host, call: MethodCall): Promise<MethodResult> {
  const read = () => switchGiven(host, keyOf(nameGiven(textGiven(call.input, 'AffectedSystem')), 'Name') ?? '')
  return reading(read, one =>
    changeSwitch(host, {
      call,
      type: SwitchJob.destroy,
      target: switchName(one),
      usually: 'job',
      work: () => deleteSwitch(host, switchGiven(host, one.id)),
    }),
  )
}

function modifySystem(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => {
    const given = embeddedGiven(host, schema, textGiven(call.input, 'SystemSettings'), SETTINGS)
    return { given, one: switchOfSettings(host, textIn(given, 'InstanceID') ?? '') }
  }
  return reading(read, ({ given, one }) =>
    changeSwitch(host, {
      call,
      type: SwitchJob.modify,
      target: switchName(one),
      usually: 'now',
      work() {
        const values: Record<string, CimValue> = settingsValues(given)
        for (const name of ['ElementName', 'Notes']) {
          const value = given.values.get(name)
          if (value !== undefined && value !== null && value !== '') values[name] = value
        }
        modifySwitch(host, one, values)
      },
    }),
  )
}

function addPorts(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => {
    const id = keyOf(nameGiven(textGiven(call.input, 'AffectedConfiguration')), 'InstanceID') ?? ''
    const one = switchOfSettings(host, id)
    const ports = portsGiven(host, schema, call, 'ResourceSettings')
    if (ports.length === 0) throw switchRefusal(host, '', 'invalid')
    return { one, ports }
  }
  return reading(read, ({ one, ports }) =>
    changeSwitch(host, {
      call,
      type: SwitchJob.add,
      target: switchName(one),
      usually: 'job',
      work(run) {
        const made = ports.map(({ to, card, name }) => {
          const called = name === '' ? undefined : name
          const port = to === 'host' ? addHostPort(host, one, called) : bindExternal(host, one, card, called)
          return nameOfAllocation(one, port)
        })
        host.touch()
        for (const name of made) run.affects(name, Effect.create)
        return { ResultingResourceSettings: made.map(name => pathIn(host, name)) }
      },
    }),
  )
}

/** Changes what a switch's own ports are called, or to which card it is bound. */
function modifyPorts(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => instancesGiven(host, schema, call.input, 'ResourceSettings', ALLOCATION)
  return reading(read, given =>
    changeSwitch(host, {
      call,
      type: SwitchJob.modifyPorts,
      target: '',
      usually: 'job',
      work: () => ({ ResultingResourceSettings: given.map(one => pathIn(host, modifyPort(host, one))) }),
    }),
  )
}

function modifyPort(host: Host, given: Given): ObjectName {
  const found = allocationNamed(host, textIn(given, 'InstanceID') ?? '')
  if (found === undefined) throw switchRefusal(host, '', 'invalid')
  const { one, port } = found
  const [path] = textsIn(given, 'HostResource') ?? []
  const name = path === undefined ? undefined : parsePath(path, { isStrict: true })
  const to = name === undefined ? undefined : portTo(host, name)
  if (path !== undefined && to === undefined) throw switchRefusal(host, switchName(one), 'invalid')
  if (to?.to === 'card' && one.externalPort !== undefined && !sameId(to.card, one.externalPort)) {
    const card = host.state.externalPorts.find(each => sameId(each.id, to.card))
    if (card === undefined || isBound(host, card)) throw switchRefusal(host, switchName(one), 'cardBound')
    removePort(host, one, port)
    return nameOfAllocation(one, bindExternal(host, one, card.id, port.name))
  }
  port.name = textIn(given, 'ElementName') || port.name
  host.touch()
  return nameOfAllocation(one, port)
}

function removePorts(host: Host, call: MethodCall): Promise<MethodResult> {
  const read = () => idsGiven(host, call.input, 'ResourceSettings')
  return reading(read, ids =>
    changeSwitch(host, {
      call,
      type: SwitchJob.remove,
      target: '',
      usually: 'job',
      work() {
        for (const id of ids) {
          const found = allocationNamed(host, id)
          if (found === undefined) throw switchRefusal(host, '', 'invalid')
          removePort(host, found.one, found.port)
        }
      },
    }),
  )
}
