import type { Instance, Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import { logicalProcessors } from '../host/default-devices.ts'
import type { Host } from '../host/host.ts'
import { cpuTimesOf } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { fractionOf } from '../host/random.ts'
import { nameOfVm } from '../host/settings.ts'
import { providerOf, type Row } from '../v2/rows.ts'
import { counterRows, numbered, TOTAL, upTime } from './counters.ts'

const VIRTUAL = 'Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor'
const LOGICAL = 'Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor'

/** Counters of processors: those of machines that run, those of the host, and their sums. */
export function performance(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: { [VIRTUAL]: virtualProcessors(host, schema), [LOGICAL]: { list: () => logicalRows(host, schema) } },
  })
}

/** `vm-0001:Hv VP 0` and so on; machines of one name are told apart by a number behind. */
function virtualProcessors(host: Host, schema: Schema) {
  const rowOfName = counterRows(host, schema, VIRTUAL)
  const row = (name: string, time: bigint): Instance => rowOfName(name, runTimes(time))
  const running = (): Vm[] => host.state.vms.filter(vm => vm.cpuTime.length > 0)
  const total = (): Instance => row(TOTAL, sum(running().flatMap(vm => cpuTimesOf(host, vm))))
  function* named(): Iterable<readonly [string, bigint]> {
    for (const vm of running()) {
      for (const [number, time] of cpuTimesOf(host, vm).entries()) yield [`${nameOfVm(vm)}:Hv VP ${number}`, time]
    }
  }
  return {
    *list() {
      for (const [name, time] of numbered(named())) yield row(name, time)
      yield total()
    },
    find(keys: ReadonlyMap<string, string>) {
      const name = (keys.get('Name') ?? '').toLowerCase()
      if (name === TOTAL.toLowerCase()) return total()
      const [, of, processor, twin = '0'] = /^(.*):hv vp (\d{1,4})(?:#(\d{1,4}))?$/s.exec(name) ?? []
      const vm = running().filter(one => nameOfVm(one).toLowerCase() === of)[Number(twin)]
      const time = vm === undefined ? undefined : cpuTimesOf(host, vm)[Number(processor)]
      if (vm === undefined || time === undefined) return undefined
      return row(`${nameOfVm(vm)}:Hv VP ${Number(processor)}${twin === '0' ? '' : `#${twin}`}`, time)
    },
  }
}

const sum = (times: readonly bigint[]): bigint => times.reduce((all, time) => all + time, 0n)

/** In units of 100 ns; a twentieth of it is spent in the hypervisor. */
function runTimes(time: bigint): Row {
  const hypervisor = time / 20n
  return {
    PercentGuestRunTime: time - hypervisor,
    PercentHypervisorRunTime: hypervisor,
    PercentTotalRunTime: time,
  }
}

/** `Hv LP 0` and so on. Each has been as busy as it is all the time that the host has been up. */
function* logicalRows(host: Host, schema: Schema): Iterable<Instance> {
  const row = counterRows(host, schema, LOGICAL)
  const up = upTime(host)
  let busy = 0n
  const count = logicalProcessors(host)
  for (let number = 0; number < count; number++) {
    const time = (up * BigInt(50 + Math.floor(200 * fractionOf(`${host.state.uuid}\\${number}`)))) / 1_000n
    busy += time
    yield row(`Hv LP ${number}`, { ...runTimes(time), PercentIdleTime: up - time })
  }
  yield row(TOTAL, { ...runTimes(busy), PercentIdleTime: up * BigInt(count) - busy })
}
