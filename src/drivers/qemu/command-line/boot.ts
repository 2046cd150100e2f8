import { type DomainConfig, DriverError } from '../../driver.ts'

/** What QEMU loads itself. Devices carry their own place in the order of boot (`disks.ts`). */
export function bootArguments({ boot }: DomainConfig): string[] {
  if (boot.kind === 'firmware') return []
  if (boot.kind !== 'kernel') throw new DriverError('refused', `booting from a ${boot.kind} is not known yet`)
  const initrd = boot.initrd === null ? [] : ['-initrd', boot.initrd]
  return ['-kernel', boot.kernel, ...initrd, '-append', boot.cmdline]
}
