import { type DiskConfig, type DiskLimits, type DomainConfig, withLimits } from '../drivers/driver.ts'
import { type Deed, DomainWithDevices } from './domain-devices.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import {
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_TYPED_PARAM_STRING,
  VIR_TYPED_PARAM_STRING_OKAY,
  VIR_TYPED_PARAM_ULLONG,
} from './flags/index.ts'
import { toldOf } from './impact.ts'
import { firstOf } from './room.ts'
import type { StatsParameter } from './statistics.ts'
import { conflictIn, faultIn, IO_TUNE_FIELDS, type IoTune, isTextField, limitsOf, tuneOf } from './xml/io-tune.ts'

const SET = { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG }
const GET = { known: SET.known | VIR_TYPED_PARAM_STRING_OKAY }

/** Source: libvirt, src/qemu/qemu_driver.c, QEMU_BLOCK_IOTUNE_MAX. */
const LIMIT_MAX = 1_000_000_000_000_000n

/** Fields of which one that is said says those that are not, too. Source: libvirt, qemuDomainSetBlockIoTuneDefaults. */
const FAMILIES = [/_bytes_sec$/, /_bytes_sec_max$/, /_iops_sec$/, /_iops_sec_max$/]

/** How fast the guest may use its disks. */
export class DomainWithTuning extends DomainWithDevices {
  /**
   * The limits of a disk, which is called by its target or its image: numbers, of which 0 is no limit, and the name of its
   * group; the first `nparams` of them. Without a disk, what there is to tell of any (virDomainGetBlockIoTune).
   */
  async getBlockIoTune(disk: string | null, nparams?: number, flags = 0): Promise<readonly StatsParameter[]> {
    const name = 'virDomainGetBlockIoTune'
    return this.read(name, async () => {
      checkFlags(name, flags, GET)
      this.#assertLimits(name)
      const { domain, config, living } = await this.host.described(this.id)
      const { isLive } = toldOf(this.host, flags, domain)
      if (disk === null) return firstOf(parametersOf(undefined), nparams, name)
      const { disks } = isLive ? await this.living(domain, config, living) : config
      return firstOf(parametersOf(this.#find(disks, disk).limits), nparams, name)
    })
  }

  /**
   * Changes the limits of a disk by their names, and of all in its group; what is not said stays, but for what goes with
   * what is said. All at 0 takes the disk out of its group (virDomainSetBlockIoTune).
   */
  async setBlockIoTune(disk: string, params: readonly StatsParameter[], flags = 0): Promise<void> {
    const name = 'virDomainSetBlockIoTune'
    return this.change(name, async () => {
      checkFlags(name, flags, SET)
      this.#assertLimits(name)
      const said = this.#read(params)
      await this.alter(name, flags, config => this.#deed(config, disk, said))
    })
  }

  #deed(config: DomainConfig, name: string, said: IoTune): Deed {
    const disk = this.#find(config.disks, name)
    const limits = this.#changed(config.disks, disk, said)
    const changed = (before: DomainConfig) => ({ ...before, disks: withLimits(before.disks, disk.id, limits) })
    return {
      live: async devices => {
        const unmet = this.host.driver.domains.unmet?.(changed(config))
        if (unmet !== undefined) throw this.host.error(VIR_ERR_CONFIG_UNSUPPORTED, unmet)
        await devices.limitDisk?.(this.id, disk.id, limits)
      },
      config: changed,
    }
  }

  #changed(disks: readonly DiskConfig[], disk: DiskConfig, said: IoTune): DiskLimits | null {
    const { group } = said
    const twin = group === undefined ? undefined : disks.find(({ limits }) => limits?.group === group)
    const before = tuneOf((twin ?? disk).limits)
    const isOld = (field: string) => {
      const family = FAMILIES.find(each => each.test(field))
      return ![...said.numbers.keys()].some(each => each === field || family?.test(each) === true)
    }
    const kept = [...before.numbers].filter(([field]) => isOld(field))
    const own = group ?? before.group
    const wanted = { numbers: new Map([...kept, ...said.numbers]), ...(own !== undefined && { group: own }) }
    this.#assertWhole(wanted)
    const limits = limitsOf(wanted)
    if (limits !== undefined) return limits
    if (group !== undefined && group !== '' && group !== disk.limits?.group) {
      const text = 'creating a new group/updating existing with all tune parameters zero is not supported'
      throw this.host.error(VIR_ERR_OPERATION_UNSUPPORTED, text)
    }
    return null
  }

  #assertWhole(wanted: IoTune): void {
    const fault = faultIn(wanted)
    if (fault === undefined) return
    const { field, isMissing } = fault
    const text = isMissing
      ? `cannot reset '${field}' when '${field}_max' is set`
      : `value '${field}_max' cannot be smaller than '${field}'`
    throw this.host.error(VIR_ERR_CONFIG_UNSUPPORTED, text)
  }

  #read(params: readonly StatsParameter[]): IoTune {
    const numbers = new Map<string, number>()
    let group: string | undefined
    for (const { field, type, value } of params) {
      const wanted = isTextField(field) ? VIR_TYPED_PARAM_STRING : VIR_TYPED_PARAM_ULLONG
      if (!IO_TUNE_FIELDS.includes(field)) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `parameter '${field}' not supported`)
      }
      if (type !== wanted) throw this.host.error(VIR_ERR_INVALID_ARG, `invalid type for parameter '${field}'`)
      if (numbers.has(field)) throw this.host.error(VIR_ERR_INVALID_ARG, `parameter '${field}' occurs multiple times`)
      if (typeof value === 'string') group = value
      else numbers.set(field, this.#limitOf(value))
    }
    const said = { numbers, ...(group !== undefined && { group }) }
    const conflict = conflictIn(said)
    if (conflict === undefined) return said
    const text = `total and read/write of ${conflict} cannot be set at the same time`
    throw this.host.error(VIR_ERR_INVALID_ARG, text)
  }

  #limitOf(value: bigint): number {
    if (value >= 0n && value <= LIMIT_MAX) return Number(value)
    const text = `block I/O throttle limit value must be no more than ${LIMIT_MAX}`
    throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
  }

  #assertLimits(name: FunctionName): void {
    if (this.host.group(name, 'devices').limitDisk === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
  }

  #find(disks: readonly DiskConfig[], name: string): DiskConfig {
    const found = disks.find(({ device, location }) => name !== '' && (name === device || name === location))
    if (found !== undefined) return found
    throw this.host.error(VIR_ERR_INVALID_ARG, `disk '${name}' was not found in the domain config`)
  }
}

function parametersOf(limits: DiskLimits | undefined): StatsParameter[] {
  const { numbers, group = '' } = tuneOf(limits)
  return IO_TUNE_FIELDS.map(field =>
    isTextField(field)
      ? { field, type: VIR_TYPED_PARAM_STRING, value: group }
      : { field, type: VIR_TYPED_PARAM_ULLONG, value: BigInt(numbers.get(field) ?? 0) },
  )
}
