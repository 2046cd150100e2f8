import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GREETING } from '../guests/linux.ts'
import { bootLinux, guestAgent, SHUTDOWN_GREETING } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'
import { atEnd } from '../support/at-end.ts'

describe('the Linux guest of the tests', () => {
  test('runs commands, sees its devices, and shuts down when asked', { timeout: TEST_MS }, async () => {
    const world = await World.open()
    try {
      const id = await world.define(await bootLinux(world.dataDir, ['counter']))
      await world.driver.domains.start(id)
      const shell = await GuestShell.openBooting(world.files(id).serialSocket)

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

  test('answers through QEMU’s guest agent', { timeout: TEST_MS }, async context => {
    const folder = await mkdtemp('/tmp/pv-')
    atEnd(context, () => rm(folder, { recursive: true, force: true }))
    const { boot } = await bootLinux(folder, [], await guestAgent())
    assert(boot.kind === 'kernel' && boot.initrd !== null)
    const socket = join(folder, 'agent.sock')
    const machine = ['-machine', 'pc', '-accel', 'tcg', '-m', '128M', '-nodefaults', '-display', 'none']
    const kernel = ['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', boot.cmdline]
    const chardev = ['-chardev', `socket,id=agent,path=${socket},server=on,wait=on`]
    const devices = 'virtio-serial-pci virtserialport,chardev=agent,name=org.qemu.guest_agent.0'
    const port = [...chardev, ...devices.split(' ').flatMap(device => ['-device', device])]
    const qemu = spawn('qemu-system-x86_64', [...machine, ...kernel, ...port], { stdio: 'ignore' })
    atEnd(context, () => qemu.kill('SIGKILL'))
    while (!existsSync(socket)) await sleep(20)
    const connection = createConnection(socket)
    atEnd(context, () => connection.destroy())
    await once(connection, 'connect')

    const answered = once(connection.setEncoding('utf8'), 'data')
    connection.write('{"execute":"guest-info"}\n')
    const [answer] = await answered

    assert.match(String(answer), /"version": "\d+\.\d+\.\d+"/)
  })
})
