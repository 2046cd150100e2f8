import type { Schema } from '../cim/model.ts'
import type { Method, Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import { intrinsicItemsOf } from '../host/guest.ts'
import type { Host } from '../host/host.ts'
import { KvpSource, kvpText } from '../host/kvp.ts'
import { guestAnswers, heartbeatOf } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { askGuest } from '../host/power.ts'
import { isTrueIn, numberIn, resourceOf, textIn } from '../host/settings.ts'
import { type DeviceRow, deviceProvider, vmOfDevice } from './devices.ts'
import { providerOf, type Row } from './rows.ts'

/** An integration service of guests: its device is there while it works. */
interface Component {
  readonly name: 'Shutdown' | 'Heartbeat' | 'KvpExchange' | 'TimeSync' | 'Vss'
  readonly description: string
  /** Whether its device is there before the guest answers. */
  readonly isAlwaysThere?: boolean
  readonly values?: (host: Host, schema: Schema, vm: Vm) => Row
}

/** Source: Microsoft Learn, of each component; Heartbeat 2 OK, 12 No Contact, 13 Lost Communication. */
const COMPONENTS: readonly Component[] = [
  { name: 'Shutdown', description: 'Microsoft Shutdown Service' },
  {
    name: 'Heartbeat',
    description: 'Microsoft Heartbeat Service',
    isAlwaysThere: true,
    values(host, _schema, vm) {
      const status = heartbeatOf(host, vm) ?? 12
      return { OperationalStatus: [status, status], StatusDescriptions: [host.texts.statuses[status] ?? ''] }
    },
  },
  {
    name: 'KvpExchange',
    description: 'Microsoft Key-Value Pair Exchange Component',
    values: (_host, schema, vm) => ({
      GuestExchangeItems: [],
      GuestIntrinsicExchangeItems: Object.entries(intrinsicItemsOf(vm)).map(([name, data]) =>
        kvpText(schema, { name, data, source: KvpSource.intrinsic }),
      ),
    }),
  },
  { name: 'TimeSync', description: 'Microsoft Time Synchronization Component' },
  { name: 'Vss', description: 'Microsoft VSS Component' },
]

/** The devices of the integration services, and what the one for shutting down can be asked for. */
export function integrationComponents(host: Host, schema: Schema): readonly Provider[] {
  const devices = COMPONENTS.map(component =>
    deviceProvider(host, schema, {
      className: `Msvm_${component.name}Component`,
      of: vm => rowsOf(host, schema, vm, component),
    }),
  )
  return [...devices, providerOf(schema, { methods: shutdownMethods(host, 'Msvm_ShutdownComponent') })]
}

const ENABLED = 2

function rowsOf(host: Host, schema: Schema, vm: Vm, component: Component): DeviceRow[] {
  const settings = resourceOf(vm.configuration, `Msvm_${component.name}ComponentSettingData`)
  const isThere = component.isAlwaysThere === true || guestAnswers(host, vm)
  if (!isThere || numberIn(settings, 'EnabledState') !== ENABLED) return []
  const title = textIn(settings, 'ElementName') ?? component.name
  return [
    {
      AdditionalAvailability: [6],
      Caption: title,
      Description: component.description,
      // Source: Microsoft Learn, "Microsoft:VMGUID\GUID": as the settings have it.
      DeviceID: textIn(settings, 'InstanceID') ?? '',
      ElementName: title,
      EnabledDefault: 7,
      Name: title,
      ...component.values?.(host, schema, vm),
    },
  ]
}

/** What Msvm_ShutdownComponent can be asked for, in either namespace. None of it takes a job. */
export function shutdownMethods(host: Host, className: string): Readonly<Record<string, Method>> {
  return {
    [`${className}.InitiateShutdown`]: ({ self }) =>
      answerNow(() => askGuest(host, vmOfDevice(host, self), 'shut-down')),
    [`${className}.InitiateReboot`]: ({ self }) => answerNow(() => askGuest(host, vmOfDevice(host, self), 'reboot')),
    [`${className}.InitiateHibernate`]: ({ self }) =>
      answerNow(() => {
        const vm = vmOfDevice(host, self)
        if (!isTrueIn(vm.configuration.system, 'EnableHibernation')) {
          throw new OperationError(Return.notSupported, 'The virtual machine does not allow hibernation.')
        }
        askGuest(host, vm, 'shut-down')
      }),
  }
}
