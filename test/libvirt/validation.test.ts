import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  AUTOSTART_ALWAYS,
  AUTOSTART_IF_WAS_RUNNING,
  AUTOSTART_NONE,
  type Connection,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_VCPU_CONFIG,
  VIR_DOMAIN_VCPU_MAXIMUM,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
} from '../../src/libvirt/index.ts'
import { diskXml, type HypervWorld, hypervWorld, image, nicXml, switchXml } from './hyperv-world.ts'
import { defined, type Description, domainXml, namesOf, rejectsWith, until } from './world.ts'

/*
 * Chapter 6 of the document "libvirt driver for Hyper-V": each functionality that it tried through virt-manager, on hosts of
 * both namespaces. What it says of one stands above the test where it was not `Correct`.
 */

/** Builds of Windows, and what their hosts say of themselves. */
const HOSTS = [
  { build: 7_601, version: 601_007_601, vcpusMax: 4 },
  { build: 20_348, version: 1_000_020_348, vcpusMax: 16 },
] as const

for (const { build, version, vcpusMax } of HOSTS) {
  describe(`the validation of the document on build ${build}`, () => {
    let world: HypervWorld
    let connection: Connection
    before(async () => {
      world = await hypervWorld(build)
      connection = world.connection
      await connection.networkDefineXML(switchXml('Internal'))
    })
    after(async () => {
      await world.close()
      assert.deepEqual(world.host.complaints, [])
    })
    const machine = (name: string, more: Description = {}) => defined(connection, { type: 'hyperv', name, ...more })

    // "Incorrect: results by the creation of two VMs instead of a unique one."
    // Validates: Create a VM
    it('makes one machine of a description that is created and then defined, under the UUID that the client chose', async () => {
      const uuid = crypto.randomUUID()
      const devices = diskXml(await image(connection, 'created.vhd')) + nicXml('Internal')
      const xml = domainXml({ type: 'hyperv', name: 'created', uuid, memoryKib: 1_048_576, devices })

      const created = await connection.domainCreateXML(xml)
      const again = await connection.domainDefineXML(xml)

      assert.deepEqual(
        namesOf(await connection.listAllDomains()).filter(name => name === 'created'),
        ['created'],
      )
      assert.deepEqual([created.getUUIDString(), again.getUUIDString()], [uuid, uuid])
      await using other = await world.again()
      assert.equal((await (await other.domainLookupByUUIDString(uuid)).getState()).state, VIR_DOMAIN_RUNNING)
    })

    // Validates: Destroy a VM
    it('cuts the power of a machine and forgets it', async () => {
      const domain = await machine('undefined')
      await domain.create()

      await domain.undefine()

      await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByName('undefined'))
    })

    // Validates: Shutdown a VM
    it('asks the guest to shut down, where the document cut the power', async () => {
      const domain = await machine('obedient')
      await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.shutdown())
      await domain.create()

      await domain.shutdown()

      await until(async () => !(await domain.isActive()))
    })

    // "Failed: virt-manager does not find the associated file of the virtual hard drive to attach."
    // Validates: Attach virtual hard drive
    it('attaches virtual hard drives in any order of their places, and one whose file is missing not at all', async () => {
      const domain = await machine('disks')
      const paths = new Map<string, string>()
      for (const target of ['hdd', 'hdb', 'hdc', 'hda']) {
        const path = await image(connection, `${target}.vhd`)
        paths.set(target, path)
        assert.equal((await connection.storageVolLookupByPath(path)).getPath(), path)
        await domain.attachDevice(diskXml(path, target))
      }

      const before_ = await domain.getXMLDesc()
      assert.deepEqual(await domain.getBlockInfo('hdb'), await domain.getBlockInfo(paths.get('hdb') ?? ''))
      await rejectsWith(
        VIR_ERR_OPERATION_FAILED,
        domain.attachDevice(diskXml(String.raw`C:\Hyper-V\Disks\none.vhd`, 'hda')),
      )
      const fresh = await machine('no-disk')
      await rejectsWith(VIR_ERR_OPERATION_FAILED, fresh.attachDevice(diskXml(String.raw`C:\Hyper-V\Disks\none.vhd`)))
      await domain.create()

      assert.deepEqual((await domain.getXMLDesc()).replace(/ id='\d+'/, ''), before_)
      assert.equal((await fresh.getXMLDesc()).includes('<disk'), false)
    })

    // Validates: Connect virtual network
    it('connects a machine with a virtual network', async () => {
      const domain = await machine('connected')

      await domain.attachDevice(nicXml('Internal'))
      await domain.create()

      assert.match(await domain.getXMLDesc(), /<source network='Internal'\/>/)
    })

    // "None: never used by virt-manager", of what only tells.
    // Validates: Update vCPUs number, Get vCPUs number, Get maximum of vCPUs
    it('changes the number of virtual CPUs, and tells it and the most there can be', async () => {
      const domain = await machine('vcpus')

      await domain.setVcpus(2)
      await domain.setVcpusFlags(3, VIR_DOMAIN_VCPU_CONFIG)

      assert.equal(await domain.getVcpusFlags(), 3)
      assert.equal((await domain.getInfo()).nrVirtCpu, 3)
      assert.equal(await connection.getMaxVcpus(), vcpusMax)
      assert.equal(await domain.getMaxVcpus(), vcpusMax)
      await domain.create()
      assert.equal(await domain.getVcpusFlags(VIR_DOMAIN_VCPU_MAXIMUM), 3)
    })

    // Validates: Get information about vCPUs
    it('tells of each virtual CPU its number, state, time and the CPUs of the host that it may run on', async () => {
      const domain = await machine('busy', { vcpus: 2 })
      await domain.create()

      await until(async () => (await domain.getVcpus()).info.every(({ cpuTime }) => cpuTime > 0n))

      const { info, cpumaps } = await domain.getVcpus()
      assert.deepEqual(
        info.map(({ number, state }) => [number, state]),
        [
          [0, 1],
          [1, 1],
        ],
      )
      const { cpus } = await connection.nodeGetInfo()
      assert.deepEqual(
        cpumaps.map(map => map.reduce((sum, octet) => sum + octet.toString(2).replaceAll('0', '').length, 0)),
        [cpus, cpus],
      )
    })

    // Validates: Update memory capacity, Update maximum memory capacity
    it('changes what a machine has of memory and the most that it can have, in steps of 2 MiB', async () => {
      const domain = await machine('memory', { memoryKib: 131_072 })

      await domain.setMaxMemory(262_144)
      await domain.setMemory(196_608)
      assert.deepEqual([await domain.getMaxMemory(), (await domain.getInfo()).memory], [262_144, 196_608])
      await domain.setMemory(65_537)

      assert.equal((await domain.getInfo()).memory, 67_584)
    })

    // "None: never used by virt-manager."
    // Validates: Get host free memory
    it('tells how much memory of the host is free', async () => {
      const free = await connection.nodeGetFreeMemory()
      const { memory } = await connection.nodeGetInfo()

      assert(free > 0n && free < BigInt(memory) * 1_024n)
    })

    // "Does not consider all three actions available because it passes a boolean."
    // Validates: Update automatic startup action, Get automatic startup action
    it('keeps all three actions that a host may take with a machine when it starts', async () => {
      const domain = await machine('autostart')
      const found: number[] = []

      for (const action of [AUTOSTART_ALWAYS, AUTOSTART_IF_WAS_RUNNING, AUTOSTART_NONE]) {
        await domain.setAutostart(action)
        found.push(await domain.getAutostart())
      }

      assert.deepEqual(found, [2, 1, 0])
    })

    // Validates: Get Hyper-V version level, Get Hyper-V capabilities
    it('tells the version of Hyper-V and what it can do', async () => {
      assert.equal(await connection.getVersion(), version)
      assert.match(await connection.getCapabilities(), /<os_type>hvm<\/os_type>[^]*<domain type='hyperv'\/>/)
    })

    // "None: never used by virt-manager."
    // Validates: Get scheduler type, Get scheduler parameters
    it('has the scheduler `allocation` with limit, reservation and weight', async () => {
      const domain = await machine('scheduled')

      assert.deepEqual(await domain.getSchedulerType(), { type: 'allocation', nparams: 3 })
      assert.deepEqual(await domain.getSchedulerParameters(), [
        { field: 'limit', type: VIR_TYPED_PARAM_ULLONG, value: 100_000n },
        { field: 'reservation', type: VIR_TYPED_PARAM_ULLONG, value: 0n },
        { field: 'weight', type: VIR_TYPED_PARAM_UINT, value: 100n },
      ])
      assert.deepEqual(await domain.getSchedulerParametersFlags(), await domain.getSchedulerParameters())
    })

    // Validates: Get number of active networks, Get active networks names, Get number of inactive networks, Get inactive networks names
    it('counts and names virtual networks', async () => {
      assert.equal(await connection.numOfNetworks(), 1)
      assert.deepEqual(await connection.listNetworks(), ['Internal'])
      assert.equal(await connection.numOfDefinedNetworks(), 0)
      assert.deepEqual(await connection.listDefinedNetworks(), [])
    })

    // "Incomplete: the XML contains only the name and the UUID of the network."
    // Validates: Get a networks by its name, Get network XML description
    it('finds a virtual network by its name, and describes it with its card and its VLAN', async () => {
      const [card] = world.host.sim.host?.state.externalPorts.map(({ name }) => name) ?? []
      const internal = await connection.networkLookupByName('Internal')
      const tagged = `<network><name>Tagged</name><forward mode='bridge' dev='${card}'/><vlan><tag id='42'/></vlan></network>`

      const described = await (await connection.networkDefineXML(tagged)).getXMLDesc()

      assert.match(
        await internal.getXMLDesc(),
        new RegExp(`<name>Internal</name>\\s*<uuid>${internal.getUUIDString()}</uuid>`),
      )
      assert(described.includes(`<interface dev='${card}'/>`))
      assert.match(described, /<vlan>\s*<tag id='42'\/>/)
      await (await connection.networkLookupByName('Tagged')).undefine()
    })
  })
}
