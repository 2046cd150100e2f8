import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  connect,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_START_AUTODESTROY,
  VIR_ERR_OPERATION_INVALID,
} from '../../src/libvirt/index.ts'
import { domainXml, networkXml, poolXml, rejectsWith, until, volumeXml } from './world.ts'

const MIB = 1_048_576

test('a machine of QEMU lives by the functions of libvirt, with a disk and an interface', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pv-'))
  const connection = await connect('qemu:///system', { dataDir: folder })
  try {
    await connection.networkDefineXML(networkXml('lan', crypto.randomUUID()))
    const pool = await connection.storagePoolCreateXML(poolXml('images', join(folder, 'images')))
    const disk = await pool.storageVolCreateXML(volumeXml('disk.qcow2', 8 * MIB))
    const devices = `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${disk.getPath()}'/>
      <target dev='vda' bus='virtio'/></disk><interface type='network'><source network='lan'/></interface>`
    const described = domainXml({ type: 'qemu', name: 'web', vcpus: 2, devices })

    const domain = await connection.domainCreateXML(described, VIR_DOMAIN_START_AUTODESTROY)
    assert.deepEqual([await connection.getType(), (await domain.getState()).state], ['QEMU', VIR_DOMAIN_RUNNING])
    assert((await connection.getVersion()) >= 7_000_000)
    await until(async () => (await domain.getVcpus()).info.some(({ cpuTime }) => cpuTime > 0n))
    await domain.suspend()
    await domain.managedSave()
    await domain.create()
    assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)
    assert.match(await domain.getXMLDesc(), /<source network='lan'\/>[^]*<model type='virtio'\/>/)
    await rejectsWith(VIR_ERR_OPERATION_INVALID, disk.delete())
    await connection.close()

    await using again = await connect('qemu:///system', { dataDir: folder })
    assert.deepEqual(await again.listAllDomains(), [])
  } finally {
    await connection.close()
    await rm(folder, { recursive: true, force: true })
  }
})
