import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_OPERATION_FAILED,
  VIR_DOMAIN_DEVICE_MODIFY_CONFIG,
} from '../../src/libvirt/index.ts'
import { diskXml, FOLDER, type HypervWorld, hypervWorld, image } from './hyperv-world.ts'
import { domainXml, namesOf, rejectsWith } from './world.ts'

/** Machines that a host cannot have, and what is said of them. */
const IMPOSSIBLE: Readonly<Record<string, RegExp>> = {
  [`<sound model='ac97'/>`]: /sound card/,
  [`<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>`]: /TPM/,
  [`<disk type='file' device='floppy'><target dev='fda'/></disk><disk type='file' device='floppy'><target dev='fdb'/></disk>`]:
    /fdb|diskette/,
  [diskXml(String.raw`${FOLDER}\a.vhd`, 'hde')]: /hde/,
  [diskXml(String.raw`${FOLDER}\a.qcow2`)]: /qcow2/,
  [diskXml(String.raw`${FOLDER}\a.vhd`) + diskXml(String.raw`${FOLDER.toLowerCase()}\A.vhd`, 'sdb')]: /two disks/,
}

for (const build of [7601, 20_348]) {
  let world: HypervWorld
  before(async () => {
    world = await hypervWorld(build)
  })
  after(() => world.close())

  test(`what a host of build ${build} cannot be is refused by name when it is defined, and leaves no machine`, async () => {
    const { connection } = world
    const present = namesOf(await connection.listAllDomains())
    for (const [devices, why] of Object.entries(IMPOSSIBLE)) {
      await rejectsWith(
        VIR_ERR_CONFIG_UNSUPPORTED,
        connection.domainDefineXML(domainXml({ type: 'hyperv', devices })),
        why,
      )
    }
    for (const described of [
      { devices: diskXml(String.raw`${FOLDER}\missing.vhd`) },
      { memoryKib: 1 },
      { memoryKib: 2 ** 40 },
      { vcpus: 1_000 },
    ]) {
      const xml = domainXml({ type: 'hyperv', ...described })
      await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainDefineXML(xml))
      await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainCreateXML(xml))
    }

    assert.deepEqual(namesOf(await connection.listAllDomains()), present)
  })

  test(`what a host of build ${build} refuses of a machine that it has leaves the machine as it was`, async () => {
    const { connection } = world
    const path = await image(connection, 'kept.vhd')
    const domain = await connection.domainDefineXML(domainXml({ type: 'hyperv', devices: diskXml(path) }))
    const is = await domain.getXMLDesc()

    await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.setMaxMemory(1))
    await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.setMemory(1))
    await rejectsWith(VIR_ERR_CONFIG_UNSUPPORTED, domain.attachDevice(diskXml(path, 'sdb')), /two disks/)
    await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.attachDevice(diskXml(String.raw`${FOLDER}\missing.vhd`, 'sdb')))
    assert.equal(await domain.getXMLDesc(), is)
    await domain.create()
    const attached = domain.attachDeviceFlags(diskXml(path, 'sdb'), VIR_DOMAIN_DEVICE_MODIFY_CONFIG)
    await rejectsWith(VIR_ERR_CONFIG_UNSUPPORTED, attached, /two disks/)
    await domain.undefine()
  })

  test(`descriptions of one machine that are given at once make one on build ${build}`, async () => {
    const { connection, again } = world
    const other = await again()
    const described = domainXml({ type: 'hyperv', name: 'at-once', uuid: randomUUID() })
    const nameless = domainXml({ type: 'hyperv', name: 'at-once-too' })

    await Promise.all([connection.domainCreateXML(described), other.domainDefineXML(described)])
    const made = await Promise.allSettled([
      connection.domainDefineXML(nameless),
      other.domainDefineXML(nameless),
      connection.domainCreateXML(nameless),
    ])
    assert.deepEqual(made.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected', 'rejected'])
    const names = namesOf(await connection.listAllDomains()).filter(name => name.startsWith('at-once'))
    assert.deepEqual(names, ['at-once', 'at-once-too'])
    await other.close()
  })
}
