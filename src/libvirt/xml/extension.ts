import type { BootConfig, DomainConfig, ExitActions, PlatformConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** The namespace of what this program notes in descriptions of domains. */
export const OWN_NAMESPACE = 'urn:polyvisor:libvirt:domain:1'

/** What of a definition libvirt has no words for. */
export interface Extension {
  readonly boot?: BootConfig
  readonly serial?: PlatformConfig['serial']
  readonly suspend?: ExitActions['suspend']
}

/**
 * Reads what this program noted in `<metadata>` for itself, in an element of its own namespace, and refuses one that is
 * not as it writes it. What others note there, such as which system is installed, is in metadata.ts.
 */
export function readExtension(metadata: Reading | undefined): Extension {
  const own = metadata?.child('domain', OWN_NAMESPACE)
  if (own === undefined) return {}
  const serial = own.child('serial')?.word('type', ['pty'])
  const suspend = own.child('on_suspend')?.word('action', ['restart'])
  const boot = readBoot(own)
  return {
    ...(boot !== undefined && { boot }),
    ...(serial !== undefined && { serial }),
    ...(suspend !== undefined && { suspend }),
  }
}

function readBoot(own: Reading): BootConfig | undefined {
  const boot = own.child('boot')
  if (boot === undefined) return undefined
  const kind = boot.word('kind', ['guest-kernel', 'guest-grub'])
  const cmdline = boot.attribute('cmdline') ?? ''
  if (kind === 'guest-grub') return { kind, cmdline }
  const kernel = boot.attribute('kernel') ?? ''
  return { kind: 'guest-kernel', kernel, initrd: boot.attribute('initrd') ?? null, cmdline }
}

/** What of a definition libvirt has no words for, in one element; undefined where there is nothing of the kind. */
export function writeExtension({ boot, platform = {}, exits }: DomainConfig): XmlOutput | undefined {
  const parts = [
    boot.kind === 'guest-grub' && element('polyvisor:boot', { kind: boot.kind, cmdline: boot.cmdline }),
    boot.kind === 'guest-kernel' &&
      element('polyvisor:boot', {
        kind: boot.kind,
        kernel: boot.kernel,
        initrd: boot.initrd ?? undefined,
        cmdline: boot.cmdline,
      }),
    platform.serial === 'pty' && element('polyvisor:serial', { type: 'pty' }),
    exits?.suspend === 'restart' && element('polyvisor:on_suspend', { action: 'restart' }),
  ]
  if (parts.every(part => part === false)) return undefined
  return element('polyvisor:domain', { 'xmlns:polyvisor': OWN_NAMESPACE }, parts)
}
