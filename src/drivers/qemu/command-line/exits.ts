import type { DomainConfig } from '../../driver.ts'

/** What QEMU does when the guest ends by itself. */
export function exitArguments(_config: DomainConfig): string[] {
  return [
    ['-action', 'reboot=reset,shutdown=poweroff,panic=shutdown'],
    // A guest that sleeps (S3) or saves itself (S4) would be in a state that the contract has no word for.
    ['-global', 'PIIX4_PM.disable_s3=1', '-global', 'PIIX4_PM.disable_s4=1'],
  ].flat()
}
