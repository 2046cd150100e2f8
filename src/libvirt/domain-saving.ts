import type { Dump } from '../drivers/driver.ts'
import { DomainWithGuest } from './domain-guest.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_DENIED,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
} from './error-numbers.ts'
import { checkExclusive, checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO,
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY,
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB,
  VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
  VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP,
  VIR_DOMAIN_SAVE_IMAGE_XML_SECURE,
  VIR_DUMP_BYPASS_CACHE,
  VIR_DUMP_CRASH,
  VIR_DUMP_LIVE,
  VIR_DUMP_MEMORY_ONLY,
  VIR_DUMP_RESET,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'
import { checkPath, describedBy, describeSaved, SAVE_REFUSED, savedFilesOf, stateByFlags } from './saved-files.ts'

const DUMP = {
  known: VIR_DUMP_CRASH | VIR_DUMP_RESET | VIR_DUMP_MEMORY_ONLY,
  refused: { VIR_DUMP_LIVE, VIR_DUMP_BYPASS_CACHE },
}
const ENDS = [
  ['VIR_DUMP_CRASH', VIR_DUMP_CRASH],
  ['VIR_DUMP_LIVE', VIR_DUMP_LIVE],
  ['VIR_DUMP_RESET', VIR_DUMP_RESET],
] as const
/** Those that no host here writes. */
const OTHER_FORMATS: readonly number[] = [
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB,
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO,
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY,
  VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP,
]

/** Writing what a domain is to a file of the host, an absolute path; a file that is there is replaced. */
export class DomainWithSaving extends DomainWithGuest {
  /** Puts it to a file with its memory, and halts it; `Connection.restore` brings it back (virDomainSave). */
  async save(to: string): Promise<void> {
    return this.change('virDomainSave', () => this.#save('virDomainSave', to, undefined, 0))
  }

  /**
   * As `save`; of what its guest does not see, the file describes it as `xml` does. With `VIR_DOMAIN_SAVE_RUNNING` or
   * `VIR_DOMAIN_SAVE_PAUSED` it is that when it comes back, whatever it is now (virDomainSaveFlags).
   */
  async saveFlags(to: string, xml?: string, flags = 0): Promise<void> {
    return this.change('virDomainSaveFlags', () => this.#save('virDomainSaveFlags', to, xml, flags))
  }

  /**
   * Writes the memory of its guest to a file, as an ELF core; whether or not `VIR_DUMP_MEMORY_ONLY` says so. A guest that
   * runs stands still meanwhile. Then it goes on, or `VIR_DUMP_CRASH` cuts its power, or `VIR_DUMP_RESET` resets it
   * (virDomainCoreDump).
   */
  async coreDump(to: string, flags = 0): Promise<void> {
    return this.change('virDomainCoreDump', () => this.#dump('virDomainCoreDump', to, flags))
  }

  /** As `coreDump`, in `VIR_DOMAIN_CORE_DUMP_FORMAT_RAW`; others are refused (virDomainCoreDumpWithFormat). */
  async coreDumpWithFormat(to: string, format: number, flags = 0): Promise<void> {
    const name = 'virDomainCoreDumpWithFormat'
    return this.change(name, async () => {
      if (OTHER_FORMATS.includes(format)) {
        const text = 'memory is dumped in VIR_DOMAIN_CORE_DUMP_FORMAT_RAW alone here'
        throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
      }
      if (format !== VIR_DOMAIN_CORE_DUMP_FORMAT_RAW) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `dumpformat ${format} in ${name} is none`)
      }
      await this.#dump(name, to, flags)
    })
  }

  /** Describes what was saved of it, which `create` brings back (virDomainManagedSaveGetXMLDesc). */
  async managedSaveGetXMLDesc(flags = 0): Promise<string> {
    const name = 'virDomainManagedSaveGetXMLDesc'
    return this.read(name, async () => {
      const { saved } = this.host.group(name, 'suspension')
      if (saved === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
      checkFlags(name, flags, { known: VIR_DOMAIN_SAVE_IMAGE_XML_SECURE })
      if (this.host.isReadOnly && has(flags, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)) {
        throw this.host.error(VIR_ERR_OPERATION_DENIED, `${name} with secure flag`)
      }
      await this.#assertSaved()
      return describeSaved(this.host, (await saved(this.id)).config)
    })
  }

  /**
   * Describes it otherwise, of what its guest does not see, and says with `VIR_DOMAIN_SAVE_RUNNING` or `VIR_DOMAIN_SAVE_PAUSED`
   * what it is when it comes back (virDomainManagedSaveDefineXML).
   */
  async managedSaveDefineXML(xml: string, flags = 0): Promise<void> {
    const name = 'virDomainManagedSaveDefineXML'
    return this.change(name, async () => {
      const { changeSaved } = this.host.group(name, 'suspension')
      if (changeSaved === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
      const state = stateByFlags(name, flags, {})
      await this.#assertSaved()
      const described = await describedBy(this.host, xml)
      this.#assertNamed(described.config?.name)
      await changeSaved(this.id, { ...described, ...state })
    })
  }

  /** Source: libvirt, src/conf/domain_conf.c, virDomainDefCheckABIStabilityFlags: nothing is renamed through the back door. */
  #assertNamed(name = this.getName()): void {
    if (name === this.getName()) return
    const text = `Target domain name ${name} does not match source ${this.getName()}`
    throw this.host.error(VIR_ERR_CONFIG_UNSUPPORTED, text)
  }

  async #assertSaved(): Promise<void> {
    if ((await this.now()).state === 'suspended') return
    throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain does not have managed save image')
  }

  async #save(name: FunctionName, to: string, xml: string | undefined, flags: number): Promise<void> {
    const state = stateByFlags(name, flags, SAVE_REFUSED)
    checkPath(this.host, name, to)
    const files = savedFilesOf(this.host, name)
    await this.#assertActive()
    const wish = { ...(await describedBy(this.host, xml)), ...state }
    await this.host.past.deeds.whileDoing(this.id, 'saved', () => files.save(this.id, to, wish))
    this.host.seen(this.id, { state: 'halted' })
  }

  async #dump(name: FunctionName, to: string, flags: number): Promise<void> {
    checkExclusive(name, flags, ENDS)
    checkFlags(name, flags, DUMP)
    checkPath(this.host, name, to)
    const dumps = this.host.group(name, 'dumps')
    const { state } = await this.#assertActive()
    const write = () => dumps.dump(this.id, { location: to })
    await this.host.past.deeds.whileDoing(this.id, 'dumped', async () => {
      await (state === 'running' ? this.#whilePaused(write, flags) : write())
      const { domains } = this.host.driver
      if (has(flags, VIR_DUMP_CRASH)) await domains.powerOff(this.id)
      else if (has(flags, VIR_DUMP_RESET)) await domains.reset(this.id)
    })
  }

  /** Lets the guest stand still, and go on whatever becomes of the dump, unless it is to end then. */
  async #whilePaused(write: () => Promise<Dump>, flags: number): Promise<void> {
    const { domains } = this.host.driver
    await domains.pause(this.id)
    let failure: { readonly error: unknown } | undefined
    await write().catch((error: unknown) => (failure = { error }))
    if (failure === undefined && has(flags, VIR_DUMP_CRASH | VIR_DUMP_RESET)) return
    try {
      await domains.unpause(this.id)
    } catch (error) {
      const why = failure === undefined ? 'its memory is dumped' : String(failure.error)
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `${why}; but it does not go on, and stays paused`, error)
    }
    if (failure !== undefined) throw failure.error
  }

  async #assertActive() {
    const now = await this.now()
    if (isActiveState(now.state)) return now
    throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
  }
}
