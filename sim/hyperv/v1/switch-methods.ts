import type { CimValue, Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, ObjectName, Provider } from '../cim/provider.ts'
import { answer, answerNow, type Output, orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import {
  bindCard,
  createInternalPort,
  deleteInternalPort,
  internalPortId,
  internalPortNamed,
  type InternalView,
  isTaken,
  unbindCard,
} from '../host/internal-ports.ts'
import type { ExternalPort, InternalPort, Switch } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { ownVm } from '../host/resources-owner.ts'
import { sameId } from '../host/resources-ids.ts'
import { idOf } from '../host/resources-settings.ts'
import {
  attachCard,
  attachHost,
  cardDeviceId,
  connectPort,
  createPort,
  createSwitch,
  deleteSwitch,
  detach,
  findPort,
  type PortView,
  portsOf,
  removePort,
  switchName,
  switchNamed,
  switchRefusal,
} from '../host/switches.ts'
import { nameGiven, textGiven } from '../v2/given.ts'
import { keyOf, pathIn, providerOf } from '../v2/rows.ts'
import { nameOfPort, nameOfSwitch } from './adapter-ports.ts'
import { type EthernetPort, internalPort, portsOfSystem } from './ethernet-ports.ts'
import { connectAdapter, disconnectAdapter } from './resource-changes.ts'
import { nameOfSwitchService, SWITCH_SERVICE } from './switches.ts'
import { pathInV1, V1 } from './translate-paths.ts'

/** The methods of the service for switches. All but two of them answer at once. */
export function switchMethods(host: Host, schema: Schema): Provider {
  const atOnce =
    (work: (host: Host, input: MethodCall['input']) => Output | void): Method =>
    ({ input }) =>
      answerNow(() => work(host, input))
  const methods: Readonly<Record<string, Method>> = {
    CreateSwitch: atOnce(create),
    DeleteSwitch: atOnce((_host, input) => deleteSwitch(host, switchGiven(host, input, 'VirtualSwitch'))),
    CreateSwitchPort: atOnce(createPortOf),
    DeleteSwitchPort: atOnce((_host, input) => deletePort(host, portGiven(host, input, 'SwitchPort'))),
    ConnectSwitchPort: atOnce((_host, input) => connect(host, schema, input)),
    DisconnectSwitchPort: atOnce((_host, input) => disconnect(host, portGiven(host, input, 'SwitchPort'))),
    CreateInternalEthernetPort: atOnce((_host, input) => createInternal(host, input, textGiven(input, 'MacAddress'))),
    CreateInternalEthernetPortDynamicMac: atOnce((_host, input) => createInternal(host, input, undefined)),
    DeleteInternalEthernetPort: atOnce((_host, input) =>
      deleteInternalPort(host, internalGiven(host, input, 'InternalEthernetPort')),
    ),
    BindExternalEthernetPort: atOnce((_host, input) => bindCard(host, cardGiven(host, input, 'ExternalEthernetPort'))),
    UnbindExternalEthernetPort: atOnce((_host, input) =>
      unbindCard(host, cardGiven(host, input, 'ExternalEthernetPort')),
    ),
    SetupSwitch: call => orRefusal(() => setUp(host, call)),
    TeardownSwitch: call => orRefusal(() => tearDown(host, call)),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${SWITCH_SERVICE.className}.${name}`, method])
  return providerOf(schema, { methods: Object.fromEntries(named) })
}

const GUID = /^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i
const NAME_MAX = 256
const LEARNABLE_MAX = 65_535

/** Source: Microsoft Learn, CreateSwitch: 1024 addresses are learned where nothing is said. */
function create(host: Host, input: MethodCall['input']): Output {
  const name = textGiven(input, 'FriendlyName') ?? ''
  const id = textGiven(input, 'Name') ?? ''
  const learnable = input.get('NumLearnableAddresses')
  const isWrong = (id !== '' && !GUID.test(id)) || name.length > NAME_MAX || Number(learnable ?? 0) > LEARNABLE_MAX
  if (isWrong) throw switchRefusal(host, name, 'invalid')
  const made = createSwitch(host, {
    name,
    ...(id === '' ? {} : { id: id.toUpperCase() }),
    ...(typeof learnable === 'number' ? { learnableAddresses: learnable } : {}),
    values: { ScopeOfResidence: textGiven(input, 'ScopeOfResidence') ?? null },
  })
  return { CreatedVirtualSwitch: pathInV1(host, nameOfSwitch(made.id)) }
}

function createPortOf(host: Host, input: MethodCall['input']): Output {
  const one = switchGiven(host, input, 'VirtualSwitch')
  const id = textGiven(input, 'Name') ?? ''
  if (id.length > NAME_MAX) throw switchRefusal(host, switchName(one), 'invalid')
  const port = createPort(host, one, textGiven(input, 'FriendlyName') ?? '', id === '' ? undefined : id)
  return { CreatedSwitchPort: pathInV1(host, nameOfPort(one.id, port.id)) }
}

/** Takes a port away, and from it whatever it leads to. */
function deletePort(host: Host, view: PortView): void {
  disconnect(host, view)
  const { one, port } = view
  if (one.ports.includes(port)) removePort(host, one, port)
}

function disconnect(host: Host, { one, port, role, connection }: PortView): void {
  if (role === 'host' || role === 'external') return detach(host, one, port)
  if (connection === undefined) return connectPort(host, port, undefined)
  const owner = ownVm(connection.vm)
  const adapter = owner.configuration.resources.find(each => sameId(idOf(each), connection.adapterId))
  if (adapter !== undefined) disconnectAdapter(host, owner, adapter, () => undefined)
}

function connect(host: Host, schema: Schema, input: MethodCall['input']): Output {
  const view = portGiven(host, input, 'SwitchPort')
  const endpoint = endpointGiven(host, input)
  plug(host, view, endpoint)
  const className = 'Msvm_ActiveConnection'
  const end = (name: ObjectName): string => pathInV1(host, name)
  const keys = new Map([
    ['Antecedent', end(nameOfPort(view.one.id, view.port.id))],
    ['Dependent', end(endpoint.endpoint)],
  ])
  return { ActiveConnection: pathIn(host, { className, keys }, schema.namespace) }
}

function plug(host: Host, { one, port, role }: PortView, { of, at }: EthernetPort): void {
  if (role !== 'free' || (at !== undefined && of.kind !== 'adapter')) {
    throw switchRefusal(host, switchName(one), 'invalid', Return.inUse)
  }
  if (of.kind === 'internal') return attachHost(host, one, port, of.view.deviceId)
  if (of.kind === 'adapter') return connectAdapter(host, ownVm(of.vm), of.settings, port.id, () => undefined)
  // Source: Microsoft Learn: a card is bound before it is connected.
  if (!isTaken(host, of.card)) throw switchRefusal(host, switchName(one), 'invalid', Return.invalidState)
  attachCard(host, one, port, of.card)
}

function createInternal(host: Host, input: MethodCall['input'], address: string | undefined): Output {
  const id = textGiven(input, 'Name') ?? ''
  const made = newInternal(host, { id, name: textGiven(input, 'FriendlyName') ?? '', address })
  return { CreatedInternalEthernetPort: pathOfInternal(host, made) }
}

function newInternal(
  host: Host,
  { id, name, address }: { readonly id: string; readonly name: string; readonly address?: string | undefined },
): InternalPort {
  if (id.length > NAME_MAX || name.length > NAME_MAX) throw switchRefusal(host, name, 'invalid')
  return createInternalPort(host, {
    name,
    ...(id === '' ? {} : { id: id.replace(/^\{(.*)\}$/, '$1') }),
    ...(address === undefined ? {} : { address: address.replaceAll(/[-:]/g, '') }),
  })
}

function pathOfInternal(host: Host, { id }: InternalPort): string {
  const view = internalPortNamed(host, internalPortId(id))
  return view === undefined ? '' : pathInV1(host, internalPort(host, view).name)
}

/** NetworkJobType. Source: its ValueMap. */
const NetworkJob = { setUp: 1, tearDown: 2 } as const
const DURATION_MS = 1_500

function networkJob(
  host: Host,
  call: MethodCall,
  type: number,
  one: Switch | undefined,
  work: (details: Record<string, CimValue>) => void,
): Promise<MethodResult> {
  // Told when it is done.
  const details: Record<string, CimValue> = {}
  return answer(host, {
    namespace: V1,
    usually: 'job',
    job: {
      className: 'Msvm_NetworkJob',
      type,
      target: one === undefined ? '' : switchName(one),
      owner: call.caller.user,
      durationMs: DURATION_MS,
      service: nameOfSwitchService(host),
      isCancellable: false,
      details,
    },
    work: () => work(details),
  })
}

/** Binds a network card, puts it at one port, and a new card of the host at the other. */
function setUp(host: Host, call: MethodCall): Promise<MethodResult> {
  const { input } = call
  const external = portGiven(host, input, 'ExternalSwitchPort')
  const own = input.has('InternalSwitchPort') ? portGiven(host, input, 'InternalSwitchPort') : undefined
  const card = cardGiven(host, input, 'ExternalEthernetPort')
  return networkJob(host, call, NetworkJob.setUp, external.one, details => {
    if (isTaken(host, card)) throw switchRefusal(host, switchName(external.one), 'cardBound')
    for (const view of own === undefined ? [external] : [external, own]) demandFree(host, view)
    if (own !== undefined) {
      const id = textGiven(input, 'InternalEthernetPortName') ?? ''
      const made = newInternal(host, { id, name: textGiven(input, 'InternalEthernetPortFriendlyName') ?? '' })
      attachHost(host, own.one, own.port, internalPortId(made.id))
      details['CreatedInternalEthernetPort'] = pathOfInternal(host, made)
    }
    bindCard(host, card)
    attachCard(host, external.one, external.port, card)
  })
}

function demandFree(host: Host, { one, port }: PortView): void {
  const now = findPort(host, port.id)
  const isFull = one.externalPort !== undefined || one.hasHostPort
  if (now?.role !== 'free' || isFull) throw switchRefusal(host, switchName(one), 'invalid', Return.inUse)
}

/** Undoes what SetupSwitch does; the ports of the switch stay. */
function tearDown(host: Host, call: MethodCall): Promise<MethodResult> {
  const { input } = call
  const card = cardGiven(host, input, 'ExternalEthernetPort')
  const own = input.has('InternalEthernetPort') ? internalGiven(host, input, 'InternalEthernetPort') : undefined
  const one = host.state.switches.find(({ externalPort }) => externalPort === card.id)
  return networkJob(host, call, NetworkJob.tearDown, one, () => {
    for (const { one: at, port, role } of one === undefined ? [] : portsOf(host, one)) {
      if (role === 'external') detach(host, at, port)
    }
    if (own !== undefined) deleteInternalPort(host, own)
    if (isTaken(host, card)) unbindCard(host, card)
  })
}

/** What a reference names, of one of these classes. Throws OperationError. */
function givenName(host: Host, input: MethodCall['input'], parameter: string, className: RegExp): ObjectName {
  const name = nameGiven(textGiven(input, parameter))
  if (className.test(name.className)) return name
  throw switchRefusal(host, '', 'invalid')
}

function switchGiven(host: Host, input: MethodCall['input'], parameter: string): Switch {
  const name = givenName(host, input, parameter, /^(Msvm_VirtualSwitch|CIM_System|CIM_ComputerSystem)$/i)
  return demand(host, switchNamed(host, keyOf(name, 'Name') ?? ''))
}

function portGiven(host: Host, input: MethodCall['input'], parameter: string): PortView {
  const name = givenName(host, input, parameter, /^(Msvm|CIM)_SwitchPort$/i)
  const found = findPort(host, keyOf(name, 'Name') ?? '')
  const isThere = found !== undefined && sameId(found.one.id, keyOf(name, 'SystemName') ?? '')
  return demand(host, isThere ? found : undefined)
}

function cardGiven(host: Host, input: MethodCall['input'], parameter: string): ExternalPort {
  const name = givenName(host, input, parameter, /^(Msvm_ExternalEthernetPort|CIM_EthernetPort)$/i)
  const id = keyOf(name, 'DeviceID') ?? ''
  return demand(
    host,
    host.state.externalPorts.find(card => sameId(cardDeviceId(card.id), id)),
  )
}

function internalGiven(host: Host, input: MethodCall['input'], parameter: string): InternalView {
  const name = givenName(host, input, parameter, /^(Msvm_InternalEthernetPort|CIM_EthernetPort)$/i)
  return demand(host, internalPortNamed(host, keyOf(name, 'DeviceID') ?? ''))
}

function endpointGiven(host: Host, input: MethodCall['input']): EthernetPort {
  const name = givenName(host, input, 'LANEndpoint', /LANEndpoint$/i)
  const id = keyOf(name, 'Name') ?? ''
  const ports = portsOfSystem(host, keyOf(name, 'SystemName') ?? '')
  return demand(
    host,
    ports.find(({ endpoint }) => sameId(keyOf(endpoint, 'Name') ?? '', id)),
  )
}

function demand<T>(host: Host, found: T | undefined): T {
  if (found !== undefined) return found
  throw new OperationError(Return.invalidParameter, switchRefusal(host, '', 'invalid').message, { isImmediate: true })
}
