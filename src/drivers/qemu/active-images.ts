import { DriverError } from '../driver.ts'
import type { Machine } from './machine.ts'

/**
 * Rejects as `bad-state` where QEMU has let go of its images: once memory has been sent elsewhere it leaves them to whoever
 * got it, until the guest goes on, and would fall over the attempt to write to them.
 * Source: QEMU migration/migration.c, migration_completion; block.c, bdrv_inactivate_all; block/io.c,
 * bdrv_co_write_req_prepare.
 */
export async function assertActive(machine: Machine): Promise<void> {
  const { status } = await machine.execute('query-status')
  if (status !== 'postmigrate') return
  const problem = 'saving it was broken off when QEMU had sent all of it and given its disks away'
  throw new DriverError('bad-state', `${problem}: it has to go on first, or its power is to be cut`)
}
