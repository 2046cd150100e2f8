import { makeInstance } from '../../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance, Schema } from '../../../sim/hyperv/cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../../../sim/hyperv/cim/provider.ts'
import { Repository } from '../../../sim/hyperv/cim/repository.ts'
import { loadSchema, type Namespace } from '../../../sim/hyperv/cim/schema.ts'
import { ManualClock } from '../../../sim/hyperv/host/clock.ts'
import { randomOf } from '../../../sim/hyperv/host/random.ts'
import type { WsmanReply, WsmanService } from '../../../sim/hyperv/wsman/exchange.ts'
import { wsmanService, type WsmanServiceOptions } from '../../../sim/hyperv/wsman/service.ts'
import { parseXml, type XmlElement } from '../../../src/wire/xml/tree.ts'

// A host that is nothing but a schema and a few instances: what the SOAP face is held against by itself.

export const HOST = 'HVHOST'
export const USER = `${HOST}\\Administrator`
export const VMS = [
  '11111111-1111-1111-1111-111111111111',
  '22222222-2222-2222-2222-222222222222',
  '55555555-5555-5555-5555-555555555555',
] as const

type Values = Readonly<Record<string, CimValue>>

/** Instances by class. */
export type Content = Readonly<Record<string, readonly Values[]>>

export interface WorldOptions extends Partial<Omit<WsmanServiceOptions, 'host' | 'namespaces'>> {
  readonly build?: number
  readonly locale?: 'en-US' | 'ja-JP'
  /** Further instances, or others of these classes, of root\virtualization\v2. */
  readonly content?: Content
  /** By `Class.Method`, of whatever namespace. */
  readonly methods?: Readonly<Record<string, MethodResult | Method>>
}

export interface World {
  readonly service: WsmanService
  readonly clock: ManualClock
  readonly repositories: ReadonlyMap<string, Repository>
  /** What was called, in order. */
  readonly calls: MethodCall[]
  /** What the service took for mistakes of its own. */
  readonly bugs: unknown[]
  /** Posts an envelope as `user`. Rejects when the connection would have been cut. */
  post(envelope: string | Uint8Array, user?: string): Promise<Reply>
}

export interface Reply {
  readonly status: number
  readonly text: string
  readonly root: XmlElement
}

export function makeWorld(options: WorldOptions = {}): World {
  const { build = 20348, locale = 'en-US', content = {}, methods = {}, ...others } = options
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  const calls: MethodCall[] = []
  const bugs: unknown[] = []
  const repositories = new Map<string, Repository>()
  const add = (namespace: Namespace, of: Content): void => {
    const schema = loadSchema(namespace, build)
    repositories.set(
      namespace,
      new Repository(schema, [providerOf(schema, of), methodsOf(schema, methods, calls)], HOST),
    )
  }
  add('root\\cimv2', CIMV2)
  if (build < 9600) add('root\\virtualization', V1)
  if (build >= 9200) add('root\\virtualization\\v2', { ...V2, ...content })
  const service = wsmanService({
    host: { name: HOST, build, locale },
    namespaces: repositories,
    clock,
    random: randomOf('world'),
    onBug: error => bugs.push(error),
    ...others,
  })
  return { service, clock, repositories, calls, bugs, post: (envelope, user = USER) => post(service, envelope, user) }
}

/** Posts an envelope; anonymously where there is no user. */
export async function post(
  service: WsmanService,
  envelope: string | Uint8Array,
  user: string | undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<Reply> {
  const bytes = typeof envelope === 'string' ? new TextEncoder().encode(envelope) : envelope
  const answer = await service({ envelope: bytes, user, signal })
  if (answer === 'lost') throw new Error('lost')
  return readReply(answer)
}

export function readReply({ status, envelope }: WsmanReply): Reply {
  return { status, text: new TextDecoder().decode(envelope), root: parseXml(envelope, { maxBytes: 64 * 1024 * 1024 }) }
}

function providerOf(schema: Schema, content: Content): Provider {
  const classes = Object.entries(content).map(([name, rows]) => {
    const list = (): Instance[] => {
      const cls = schema.find(name)
      return cls === undefined ? [] : rows.map(values => makeInstance(cls, values))
    }
    return [name, { list }] as const
  })
  return { classes: Object.fromEntries(classes) }
}

function methodsOf(schema: Schema, methods: WorldOptions['methods'], calls: MethodCall[]): Provider {
  const own = Object.entries({ ...DEFAULT_METHODS, ...methods }).filter(([name]) => {
    const [className = '', method = ''] = name.split('.')
    return schema.find(className)?.method(method) !== undefined
  })
  return {
    methods: Object.fromEntries(
      own.map(([name, result]) => [
        name,
        (call: MethodCall) => {
          calls.push(call)
          return typeof result === 'function' ? result(call) : result
        },
      ]),
    ),
  }
}

const DONE: MethodResult = { returnValue: 0 }
const DEFAULT_METHODS: Readonly<Record<string, MethodResult>> = Object.fromEntries(
  [
    'Msvm_ComputerSystem.RequestStateChange',
    'Msvm_Keyboard.PressKey',
    'Msvm_Keyboard.ReleaseKey',
    'Msvm_Keyboard.TypeScancodes',
    'Msvm_ShutdownComponent.InitiateShutdown',
    ...[
      'AddResourceSettings',
      'DefineSystem',
      'DestroySystem',
      'ModifyResourceSettings',
      'ModifySystemSettings',
      'GetVirtualSystemThumbnailImage',
      'GetSummaryInformation',
      'AddVirtualSystemResources',
      'DefineVirtualSystem',
      'DestroyVirtualSystem',
      'ModifyVirtualSystem',
      'ModifyVirtualSystemResources',
    ].map(name => `Msvm_VirtualSystemManagementService.${name}`),
    'Msvm_VirtualEthernetSwitchManagementService.DefineSystem',
    'Msvm_VirtualSwitchManagementService.CreateSwitchPort',
  ].map(name => [name, DONE]),
)

const machine = (id: string, name: string, more: Values = {}): Values => ({
  CreationClassName: 'Msvm_ComputerSystem',
  Name: id,
  ElementName: name,
  Caption: 'Virtual Machine',
  EnabledState: 2,
  OperationalStatus: [2],
  ...more,
})

const service = (className: string, name: string): Values => ({
  CreationClassName: className,
  Name: name,
  SystemCreationClassName: 'Msvm_ComputerSystem',
  SystemName: HOST,
})

const device = (className: string, id: string, system: string): Values => ({
  CreationClassName: className,
  DeviceID: id,
  SystemCreationClassName: 'Msvm_ComputerSystem',
  SystemName: system,
})

const path = (namespace: string, relative: string): string => `\\\\${HOST}\\${namespace}:${relative}`

const HOST_SYSTEM: Values = { ...machine(HOST, HOST), Caption: 'Hosting Computer System' }

const V2: Content = {
  Msvm_ComputerSystem: [HOST_SYSTEM, ...VMS.map((id, index) => machine(id, `vm${index + 1}`))],
  Msvm_VirtualSystemSettingData: VMS.map((id, index) => ({
    InstanceID: `Microsoft:${id}`,
    ElementName: `vm${index + 1}`,
    VirtualSystemIdentifier: id,
  })),
  Msvm_SettingsDefineState: VMS.map(id => ({
    ManagedElement: path(
      'root\\virtualization\\v2',
      `Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${id}"`,
    ),
    SettingData: path('root\\virtualization\\v2', `Msvm_VirtualSystemSettingData.InstanceID="Microsoft:${id}"`),
  })),
  Msvm_SyntheticEthernetPortSettingData: [
    { InstanceID: `Microsoft:${VMS[0]}\\AAAAAAAA-0000-4000-8000-000000000001`, Address: '00155DAABBCC' },
  ],
  Msvm_VirtualSystemManagementService: [service('Msvm_VirtualSystemManagementService', 'vmms')],
  Msvm_ImageManagementService: [service('Msvm_ImageManagementService', 'vmms')],
  Msvm_VirtualEthernetSwitchManagementService: [service('Msvm_VirtualEthernetSwitchManagementService', 'vmms')],
  Msvm_Keyboard: [device('Msvm_Keyboard', `Microsoft:${VMS[1]}\\86ba1bcc-c1a8-4d4e-8d2a-3b6a2b0c1a11`, VMS[1])],
  Msvm_ShutdownComponent: [
    device('Msvm_ShutdownComponent', `Microsoft:${VMS[1]}\\9F8233AC-BE49-4C79-8EE3-E7E1985B2077`, VMS[1]),
  ],
}

const V1_VM = '0F924121-D665-5AAA-9722-7B7C13E12633'

const V1: Content = {
  Msvm_ComputerSystem: [HOST_SYSTEM, machine(V1_VM, 'test'), machine('577C0415-CC6F-4201-94F1-B88CF5398C80', 'old')],
  Msvm_VirtualSystemSettingData: [{ InstanceID: `Microsoft:${V1_VM}`, ElementName: 'test' }],
  Msvm_VirtualSystemManagementService: [service('Msvm_VirtualSystemManagementService', 'vmms')],
  Msvm_VirtualSwitchManagementService: [service('Msvm_VirtualSwitchManagementService', 'nvspwmi')],
  Msvm_VirtualSwitch: [
    { CreationClassName: 'Msvm_VirtualSwitch', Name: '31079E72-D8E6-5B06-A982-0D31F583C6CC', ElementName: 'lan' },
  ],
  Msvm_Keyboard: [device('Msvm_Keyboard', `Microsoft:${V1_VM}\\KBD`, V1_VM)],
}

const CIMV2: Content = {
  Win32_OperatingSystem: [
    { Version: '10.0.20348', CSName: HOST, Caption: 'Windows Server', FreePhysicalMemory: 1024n },
  ],
  Win32_ComputerSystemProduct: [
    { UUID: '43B3F39E-2B2A-4F97-8A36-82937A779EE1', Name: 'Sim', IdentifyingNumber: '1', Version: '1' },
  ],
}
