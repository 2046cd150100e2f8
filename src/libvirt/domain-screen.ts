import type { Duplex } from 'node:stream'
import type { Screenshot as Pixels } from '../drivers/driver.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import { DomainWithScheduling } from './domain-scheduling.ts'
import { checkFlags } from './flag-check.ts'
import { VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH, VIR_DOMAIN_SEND_KEY_MAX_KEYS } from './flags/index.ts'
import { linuxKeys } from './key-codes.ts'

/** A picture of a screen. */
export interface Screenshot {
  /** How it is encoded: `image/x-portable-pixmap`. */
  readonly mimeType: string
  readonly data: Uint8Array
}

/** The longest that keys are held, in milliseconds. */
const HOLD_MS_MAX = 60_000

/** Looking at a guest, and pressing keys for it, or worse. */
export class DomainWithScreen extends DomainWithScheduling {
  /** A picture of what the guest shows on its only screen, 0 (virDomainScreenshot). */
  async screenshot(screen = 0, flags = 0): Promise<Screenshot> {
    return this.read('virDomainScreenshot', async () => {
      checkFlags('virDomainScreenshot', flags, {})
      if (screen !== 0) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `domains have one screen, 0, and none with the number ${screen}`)
      }
      const screens = this.host.group('virDomainScreenshot', 'screens')
      return pixmap(await this.active(() => screens.screenshot(this.id)))
    })
  }

  /**
   * A connection to what the guest shows on its only screen, 0, as a server of the RFB protocol speaks (VNC), which asks for
   * no password (virDomainOpenGraphicsFD). It is the caller's, and outlives the connection to the host.
   */
  async openGraphicsFD(screen = 0, flags = 0): Promise<Duplex> {
    return this.change('virDomainOpenGraphicsFD', async () => {
      checkFlags('virDomainOpenGraphicsFD', flags, { known: VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH })
      if (screen !== 0) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `domains have one screen, 0, and none with the number ${screen}`)
      }
      const terminals = this.host.group('virDomainOpenGraphicsFD', 'terminals')
      return await this.active(() => terminals.open(this.id, 'vnc'))
    })
  }

  /** Interrupts the guest so that it cannot put it off, at which many panic (virDomainInjectNMI). */
  async injectNMI(flags = 0): Promise<void> {
    const name = 'virDomainInjectNMI'
    return this.change(name, async () => {
      const { domains } = this.host.driver
      if (domains.injectNmi === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
      checkFlags(name, flags, {})
      await this.active(async () => domains.injectNmi?.(this.id))
    })
  }

  /**
   * Presses keys together, holds them for `holdtime` milliseconds, and lets go of them. They are codes of a
   * `VIR_KEYCODE_SET_`, and at most `VIR_DOMAIN_SEND_KEY_MAX_KEYS` (virDomainSendKey).
   */
  async sendKey(codeset: number, holdtime: number, keycodes: readonly number[], flags = 0): Promise<void> {
    return this.change('virDomainSendKey', async () => {
      checkFlags('virDomainSendKey', flags, {})
      const screens = this.host.group('virDomainSendKey', 'screens')
      if (keycodes.length === 0 || keycodes.length > VIR_DOMAIN_SEND_KEY_MAX_KEYS) {
        const text = `nkeycodes in virDomainSendKey must be from 1 to ${VIR_DOMAIN_SEND_KEY_MAX_KEYS}`
        throw this.host.error(VIR_ERR_INVALID_ARG, text)
      }
      if (!Number.isSafeInteger(holdtime) || holdtime < 0 || holdtime > HOLD_MS_MAX) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `keys are held from 0 to ${HOLD_MS_MAX} ms, not ${holdtime}`)
      }
      const keys = linuxKeys(codeset, keycodes)
      await this.active(() => screens.pressKeys(this.id, keys, holdtime))
    })
  }
}

/** Source: Netpbm, ppm(5): `P6`, width, height and the largest value in text, then the pixels as they are. */
function pixmap({ width, height, pixels }: Pixels): Screenshot {
  const head = Buffer.from(`P6\n${width} ${height}\n255\n`, 'latin1')
  return { mimeType: 'image/x-portable-pixmap', data: new Uint8Array(Buffer.concat([head, pixels])) }
}
