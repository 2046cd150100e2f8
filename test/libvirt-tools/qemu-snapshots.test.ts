import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { writeBootImage } from '../guests/boot-sector.ts'
import { serve } from './world.ts'

const execute = promisify(execFile)

const domainXml = (boot: string, disk: string): string => `
  <domain type='qemu'><name>web</name><memory unit='MiB'>16</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <devices>
      <disk type='file'><driver type='raw'/><source file='${boot}'/><target dev='vda' bus='virtio'/><readonly/></disk>
      <disk type='file'><driver type='qcow2'/><source file='${disk}'/><target dev='vdb' bus='virtio'/></disk>
    </devices>
  </domain>`

/** How many snapshots an image holds. */
async function countIn(disk: string): Promise<number> {
  const { stdout } = await execute('qemu-img', ['snapshot', '-U', '-l', disk])
  return stdout.split('\n').filter(line => /^\d/.test(line)).length
}

test('virsh takes snapshots of a guest of QEMU, goes back to them and deletes them', async () => {
  const world = await serve({ hosts: ['qemu'] })
  const virsh = (...args: readonly string[]) => world.ok('qemu', ...args)
  const stateOf = async () => (await virsh('domstate', 'web')).trim()
  try {
    const [boot, disk, xml] = ['boot.raw', 'data.qcow2', 'web.xml'].map(name => join(world.folder, name))
    assert(boot !== undefined && disk !== undefined && xml !== undefined)
    await writeBootImage(boot, 'obedient')
    await execute('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1M'])
    await writeFile(xml, domainXml(boot, disk))
    await virsh('define', xml)
    await virsh('snapshot-create-as', 'web', 'off', 'before all')
    await virsh('start', 'web')
    await virsh('snapshot-create-as', 'web', 'on')
    assert.equal(await stateOf(), 'running')
    assert.equal(await countIn(disk), 2)

    const tree = await virsh('snapshot-list', 'web', '--tree')
    assert.deepEqual(
      tree
        .split('\n')
        .map(line => line.trim())
        .filter(line => line.length > 1),
      ['off', '+- on'],
    )
    assert.match(await virsh('snapshot-list', 'web'), /off .* shutoff\n on .* running\n/)
    assert.equal((await virsh('snapshot-current', 'web', '--name')).trim(), 'on')
    await virsh('snapshot-revert', 'web', 'off')
    assert.equal(await stateOf(), 'shut off')
    await virsh('snapshot-revert', 'web', 'on', '--paused')
    assert.equal(await stateOf(), 'paused')
    await virsh('snapshot-revert', 'web', 'on')
    assert.equal(await stateOf(), 'running')
    await virsh('snapshot-delete', 'web', 'off')
    assert.equal(await countIn(disk), 1)
    assert.match(await world.no('qemu', 'snapshot-info', 'web', 'off'), /no domain snapshot with matching name 'off'/)
    await virsh('destroy', 'web')
    await virsh('undefine', 'web', '--snapshots-metadata')
    assert.equal(await countIn(disk), 0)
    assert.deepEqual(world.complaints, [])
  } finally {
    await world.close()
  }
})
