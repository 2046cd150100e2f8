import type { Instance, Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { cpuTimesOf } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { nameOfVm } from '../host/settings.ts'
import { providerOf, type Row, rowOf } from '../v2/rows.ts'

const CLASS = 'Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor'
const TOTAL = '_Total'

/** Counters of the virtual processors of machines that run: `vm-0001:Hv VP 0` and so on, and their sum. */
export function performance(host: Host, schema: Schema): Provider {
  const idle = idleRow(schema)
  const row = (name: string, time: bigint): Instance =>
    rowOf(schema, CLASS, { ...idle, ...runTimes(time), ...timestamps(host), Name: name })
  function* rowsOf(vm: Vm): Iterable<Instance> {
    for (const [number, time] of cpuTimesOf(host, vm).entries()) yield row(`${nameOfVm(vm)}:Hv VP ${number}`, time)
  }
  const running = (): Vm[] => host.state.vms.filter(vm => vm.cpuTime.length > 0)
  return providerOf(schema, {
    classes: {
      [CLASS]: {
        *list() {
          for (const vm of running()) yield* rowsOf(vm)
          yield row(
            TOTAL,
            running().reduce((sum, vm) => cpuTimesOf(host, vm).reduce((part, time) => part + time, sum), 0n),
          )
        },
        find(keys) {
          const name = (keys.get('Name') ?? '').toLowerCase()
          if (name === TOTAL.toLowerCase()) {
            const times = running().flatMap(vm => cpuTimesOf(host, vm))
            return row(
              TOTAL,
              times.reduce((sum, time) => sum + time, 0n),
            )
          }
          const match = /^(.*):hv vp (\d{1,4})$/s.exec(name)
          const vm = running().find(one => nameOfVm(one).toLowerCase() === match?.[1])
          const number = Number(match?.[2])
          const time = vm === undefined ? undefined : cpuTimesOf(host, vm)[number]
          return vm === undefined || time === undefined ? undefined : row(`${nameOfVm(vm)}:Hv VP ${number}`, time)
        },
      },
    },
  })
}

/** Counters are never NULL: what is not counted is 0. */
function idleRow(schema: Schema): Row {
  const counters = schema.find(CLASS)?.properties.filter(({ type }) => type === 'uint64') ?? []
  return Object.fromEntries(counters.map(({ name }) => [name, 0n]))
}

/** In units of 100 ns; a twentieth of it is spent in the hypervisor. */
function runTimes(time: bigint): Row {
  const hypervisor = time / 20n
  return {
    PercentGuestRunTime: time - hypervisor,
    PercentHypervisorRunTime: hypervisor,
    PercentTotalRunTime: time,
  }
}

/** Windows counts time in units of 100 ns since 1601. */
const UNITS_PER_MS = 10_000n
const EPOCH_MS = 11_644_473_600_000

function timestamps(host: Host): Row {
  const now = BigInt(Math.floor(host.clock.now()) + EPOCH_MS) * UNITS_PER_MS
  const sinceBoot = BigInt(Math.max(0, Math.floor(host.clock.now() - host.state.bootedAt))) * UNITS_PER_MS
  const perSecond = 10_000_000n
  return {
    Frequency_Object: perSecond,
    Frequency_PerfTime: perSecond,
    Frequency_Sys100NS: perSecond,
    Timestamp_Object: now,
    Timestamp_PerfTime: sinceBoot,
    Timestamp_Sys100NS: now,
  }
}
