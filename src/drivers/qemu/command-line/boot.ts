import type { BootConfig } from '../../driver.ts'

/**
 * What QEMU loads itself. Devices carry their own place in the order of boot (`disks.ts`). A kernel of the guest's own
 * disk is taken out only when all else is known to be well (`guest-disk`), and these arguments made of it then.
 */
export function bootArguments(boot: BootConfig): string[] {
  if (boot.kind !== 'kernel') return []
  const initrd = boot.initrd === null ? [] : ['-initrd', boot.initrd]
  return ['-kernel', boot.kernel, ...initrd, '-append', boot.cmdline]
}
