import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  connect,
  type Connection,
  type Domain,
  VIR_DOMAIN_EVENT_ID_LIFECYCLE,
  VIR_DOMAIN_EVENT_STARTED,
  VIR_DOMAIN_EVENT_STOPPED,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
  VIR_DOMAIN_SHUTDOWN_PARAVIRT,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED,
  VIR_DOMAIN_START_AUTODESTROY,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_XML_INACTIVE,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_AUTH_FAILED,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_FROM_HYPERV,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD,
} from '../../src/libvirt/index.ts'
import {
  diskXml,
  FOLDER,
  type HypervWorld,
  hypervWorld,
  image,
  MIB,
  nicXml,
  OWN_POOL,
  switchXml,
} from './hyperv-world.ts'
import {
  defined,
  type Description,
  domainXml,
  namesOf,
  poolXml,
  rejectsWith,
  snapshotXml,
  until,
  volumeXml,
} from './world.ts'

for (const build of [7_601, 20_348]) {
  describe(`libvirt's functions on a Hyper-V host of build ${build}`, () => {
    let world: HypervWorld
    let connection: Connection
    before(async () => {
      world = await hypervWorld(build)
      connection = world.connection
      await connection.networkDefineXML(switchXml('lan'))
    })
    after(async () => {
      await world.close()
      assert.deepEqual(world.host.complaints, [])
    })
    const machine = (name: string, more: Description = {}) => defined(connection, { type: 'hyperv', name, ...more })
    const stateOf = async (domain: Domain) => (await domain.getState()).state

    it('tells what it leads to, and that nobody on the way can read along', async () => {
      assert.deepEqual([await connection.getType(), await connection.getURI()], ['Hyper-V', world.uri])
      assert.deepEqual(
        [await connection.isAlive(), await connection.isEncrypted(), await connection.isSecure()],
        [true, true, true],
      )
      const { model, cpus, mhz, sockets, cores, threads } = await connection.nodeGetInfo()
      assert.match(model, /Xeon/)
      assert.deepEqual([mhz, sockets * cores * threads], [2_400, cpus])
    })

    it('starts, pauses, saves, restarts and stops machines', async () => {
      const domain = await machine('life')
      await domain.createWithFlags(VIR_DOMAIN_START_PAUSED)
      assert.equal(await stateOf(domain), VIR_DOMAIN_PAUSED)
      await domain.resume()
      await domain.suspend()
      await domain.managedSave()
      assert.deepEqual([await stateOf(domain), await domain.hasManagedSaveImage()], [VIR_DOMAIN_SHUTOFF, true])
      await domain.create()
      assert.equal(await stateOf(domain), VIR_DOMAIN_PAUSED)
      await domain.resume()
      await domain.reboot()
      assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
      await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.shutdownFlags(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN))
      await domain.shutdownFlags(VIR_DOMAIN_SHUTDOWN_PARAVIRT)
      await until(async () => !(await domain.isActive()))
      await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.destroy(), /Domain is not active or is in state/)
    })

    it('leaves nothing of a machine that is created and does not start', async () => {
      const broken = domainXml({ type: 'hyperv', name: 'vm-that-fails-to-start' })

      await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainCreateXML(broken))
      await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByName('vm-that-fails-to-start'))
    })

    it('describes a machine so that its description makes the same one, and tells what it cannot be', async () => {
      const devices = diskXml(await image(connection, 'described.vhd'), 'hdc') + nicXml('lan')
      const domain = await machine('described', { devices, vcpus: 2, memoryKib: 131_072 })
      const description = await domain.getXMLDesc(VIR_DOMAIN_XML_INACTIVE)

      const again = await connection.domainDefineXML(description)
      assert.equal(again.getUUIDString(), domain.getUUIDString())
      assert.equal(await again.getXMLDesc(), description)
      const sound = description.replace('</devices>', `<sound model='ac97'/></devices>`)
      await rejectsWith(VIR_ERR_CONFIG_UNSUPPORTED, connection.domainDefineXML(sound), /sound/)
      assert.equal(await domain.getXMLDesc(), description)
    })

    it('plugs, counts and pulls devices, looks at the screen, and presses keys', async () => {
      const path = await image(connection, 'plugged.vhd')
      const domain = await machine('devices', { devices: nicXml('lan') + diskXml(path) })
      await domain.create()
      const [, mac = ''] = /mac address='([^']+)'/.exec(await domain.getXMLDesc()) ?? []

      await until(
        async () => (await domain.blockStats('hda')).rdBytes > 0n && (await domain.interfaceStats(mac)).rxBytes > 0n,
        10_000,
      )
      assert.equal((await domain.memoryStats())[0]?.val, 65_536n)
      assert.equal((await domain.getBlockInfo(path)).capacity, BigInt(64 * MIB))
      assert.match(Buffer.from((await domain.screenshot()).data.subarray(0, 3)).toString(), /^P6\n/)
      await domain.sendKey(0, 1, [28])
      await domain.destroy()
      await domain.detachDevice(diskXml(path))
      await domain.detachDevice(`<interface type='network'><mac address='${mac}'/><source network='lan'/></interface>`)

      assert.doesNotMatch(await domain.getXMLDesc(), /<disk|<interface/)
    })

    it('keeps what a machine is, and goes back to it', async () => {
      const domain = await machine('snapshots')
      const off = await domain.snapshotCreateXML(snapshotXml('off'))
      await domain.create()
      const on = await domain.snapshotCreateXML(snapshotXml('on'))

      assert.deepEqual(await domain.snapshotListNames(), ['off', 'on'])
      assert.equal((await on.getParent()).getName(), 'off')
      await domain.revertToSnapshot(off)
      assert.equal(await stateOf(domain), VIR_DOMAIN_SHUTOFF)
      assert.equal((await domain.snapshotCurrent()).getName(), 'off')
      await domain.revertToSnapshot(on, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)
      assert.equal(await stateOf(domain), VIR_DOMAIN_PAUSED)
      await domain.destroy()
      await off.delete()
      assert.deepEqual(await domain.snapshotListNames(), ['on'])
    })

    it('has the file systems and folders of the host as pools, and images in them', async () => {
      const vol = await connection.storageVolLookupByPath(await image(connection, 'first.vhd'))
      const pool = await connection.storagePoolCreateXML(poolXml('disks', FOLDER), VIR_STORAGE_POOL_CREATE_WITH_BUILD)
      assert.equal((await connection.storagePoolLookupByTargetPath(FOLDER.toLowerCase())).getName(), 'disks')
      const copy = await pool.storageVolCreateXMLFrom(volumeXml('second.vhd', 1), vol)

      assert.deepEqual((await connection.listStoragePools()).slice(0, 2), ['Primordial', OWN_POOL])
      assert.deepEqual(await (await connection.storagePoolLookupByName('Primordial')).listVolumes(), ['C:\\'])
      assert.equal((await connection.storageVolLookupByPath('c:\\')).getName(), 'C:\\')
      assert.equal((await connection.storagePoolLookupByVolume(copy)).getName(), 'disks')
      await copy.resize(128 * MIB)
      assert.equal((await copy.getInfo()).capacity, BigInt(128 * MIB))
      const { capacity, allocation, available } = await pool.getInfo()
      assert.equal(capacity, allocation + available)
      await copy.delete()
      assert.equal((await pool.listVolumes()).includes('second.vhd'), false)
    })

    it('hears what others do, and ends with itself what was to end with it', async () => {
      const heard: string[] = []
      await connection.domainEventRegisterAny(null, VIR_DOMAIN_EVENT_ID_LIFECYCLE, (domain, event) => {
        heard.push(`${domain.getName()} ${event}`)
      })
      const other = await world.again()
      const made = await other.domainCreateXML(
        domainXml({ type: 'hyperv', name: 'passing' }),
        VIR_DOMAIN_START_AUTODESTROY,
      )
      await until(() => heard.includes(`passing ${VIR_DOMAIN_EVENT_STARTED}`))
      const number = made.getID()

      assert.equal((await connection.domainLookupByID(number)).getName(), 'passing')
      await other.close()

      await until(() => heard.includes(`passing ${VIR_DOMAIN_EVENT_STOPPED}`))
      await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByName('passing'))
    })

    // Proves: virConnectOpenAuth
    it('does not take a wrong password, and never shows one', async () => {
      const secret = 'not the password'
      const refused = connect(world.uri, { password: async () => secret })

      await assert.rejects(refused, (error: Error & { readonly code?: number; readonly domain?: number }) => {
        assert.deepEqual([error.code, error.domain], [VIR_ERR_AUTH_FAILED, VIR_FROM_HYPERV])
        assert.equal(error.message.includes(secret), false)
        return true
      })
      assert.deepEqual(namesOf(await connection.listAllDomains()).includes('vm-0001'), true)
    })
  })
}
