import type { DomainConfig } from '../../driver.ts'
import { actionsOf, SHUTDOWN_TRACE } from '../exits.ts'

/** What QEMU does when the guest ends by itself. */
export function exitArguments({ exits }: DomainConfig): string[] {
  const { reboot, shutdown, panic } = actionsOf(exits)
  return [
    ['-action', `reboot=${reboot},shutdown=${shutdown},panic=${panic}`],
    ['-trace', SHUTDOWN_TRACE],
    // A guest that sleeps (S3) would be in a state that the contract has no word for.
    ['-global', 'PIIX4_PM.disable_s3=1', '-global', 'PIIX4_PM.disable_s4=0'],
  ].flat()
}
