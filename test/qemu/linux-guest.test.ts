import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GREETING } from '../guests/linux.ts'
import { bootLinux, SHUTDOWN_GREETING } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'

describe('the Linux guest of the tests', () => {
  test('runs commands, sees its devices, and shuts down when asked', { timeout: TEST_MS }, async () => {
    const world = await World.open()
    try {
      const id = await world.define(await bootLinux(world.dataDir, ['counter']))
      await world.driver.domains.start(id)
      const shell = await GuestShell.open(world.files(id).serialSocket)

      assert.match(await world.serial(id), new RegExp(GREETING))
      assert.match(await shell.run('echo one; ls /nowhere || echo two'), /^one\nls: \/nowhere: No such[^\n]*\ntwo$/m)
      assert.match(await shell.run('lsmod'), /virtio_blk/)
      await assert.rejects(shell.run('ls /nowhere; exit 1'), /No such/)
      await world.untilPrinted(id, 'TICK 2')

      await world.driver.domains.requestShutdown(id)
      await world.untilState(id, 'halted')
      await world.untilPrinted(id, SHUTDOWN_GREETING)
      shell.close()
    } finally {
      await world.close()
    }
  })
})
