import type { SavedDomain } from '../drivers/driver.ts'
import { ConnectionWithDomains } from './connection-domains.ts'
import { assertStartable, inTurn } from './described-domain.ts'
import { Domain } from './domain.ts'
import { VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_DENIED } from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import { VIR_DOMAIN_SAVE_IMAGE_XML_SECURE } from './flags/index.ts'
import { checkPath, describedBy, describeSaved, RESTORE_REFUSED, savedFilesOf, stateByFlags } from './saved-files.ts'

/** Domains that were saved to files of the host, which `Domain.save` makes. They are absolute paths. */
export class ConnectionWithSavedDomains extends ConnectionWithDomains {
  /** Lets a domain go on that was saved, from the file, which stays (virDomainRestore). */
  async restore(from: string): Promise<Domain> {
    return this.#restore('virDomainRestore', from, undefined, 0)
  }

  /**
   * As `restore`; of what its guest does not see, it may be as `xml` describes it. With `VIR_DOMAIN_SAVE_RUNNING` or
   * `VIR_DOMAIN_SAVE_PAUSED` it is that, whatever the file says (virDomainRestoreFlags).
   */
  async restoreFlags(from: string, xml?: string, flags = 0): Promise<Domain> {
    return this.#restore('virDomainRestoreFlags', from, xml, flags)
  }

  /** Describes the domain of a file (virDomainSaveImageGetXMLDesc). */
  async saveImageGetXMLDesc(file: string, flags = 0): Promise<string> {
    const name = 'virDomainSaveImageGetXMLDesc'
    return this.read(name, async () => {
      checkFlags(name, flags, { known: VIR_DOMAIN_SAVE_IMAGE_XML_SECURE })
      // Source: libvirt, src/libvirt-domain.c: whoever may only look may not learn by this what files there are.
      if (this.host.isReadOnly) throw this.host.error(VIR_ERR_OPERATION_DENIED, `read only access prevents ${name}`)
      checkPath(this.host, name, file)
      const { config } = await savedFilesOf(this.host, name).read(file)
      return describeSaved(this.host, config)
    })
  }

  /**
   * Lets a file describe its domain as `xml` does, of what its guest does not see, and say with `VIR_DOMAIN_SAVE_RUNNING` or
   * `VIR_DOMAIN_SAVE_PAUSED` what it is when it comes back (virDomainSaveImageDefineXML).
   */
  async saveImageDefineXML(file: string, xml: string, flags = 0): Promise<void> {
    const name = 'virDomainSaveImageDefineXML'
    return this.host.change(name, VIR_ERR_NO_DOMAIN, async () => {
      const state = stateByFlags(name, flags, {})
      checkPath(this.host, name, file)
      const files = savedFilesOf(this.host, name)
      await files.change(file, { ...(await describedBy(this.host, xml)), ...state })
    })
  }

  async #restore(name: FunctionName, from: string, xml: string | undefined, flags: number): Promise<Domain> {
    return this.host.change(name, VIR_ERR_NO_DOMAIN, async () => {
      const state = stateByFlags(name, flags, RESTORE_REFUSED)
      checkPath(this.host, name, from)
      const files = savedFilesOf(this.host, name)
      const saved = await files.read(from)
      // What was looked at, and not what the file may be made to say meanwhile.
      const wish: SavedDomain = { ...saved, ...(await describedBy(this.host, xml)), ...state }
      return inTurn(this.host, wish.config, async ({ config, present }) => {
        assertStartable(this.host, present, config)
        await this.host.past.deeds.whileDoing(config.id, 'restored', () => files.restore(from, wish))
        this.host.seen(config.id, { state: wish.paused ? 'paused' : 'running' })
        return new Domain(this.host, config)
      })
    })
  }
}
