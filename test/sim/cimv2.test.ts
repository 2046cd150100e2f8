import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import { WmiError } from '../../sim/hyperv/cim/provider.ts'
import { cpuTimesOf, freeMemoryMb } from '../../sim/hyperv/host/life.ts'
import { turnOn } from '../../sim/hyperv/host/power.ts'
import { BUILDS } from '../../sim/hyperv/host/windows.ts'
import { InstanceWriter } from '../../sim/hyperv/wsman/instance-writer.ts'
import { machineIn, onlyOne, query, worldOf } from './host-world.ts'

const LOGICAL = 'Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor'
const PERFORMANCE = 'Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor'

test('every build says which Windows it is', async () => {
  const versions: string[] = []
  for (const build of BUILDS) {
    const { cimv2 } = await worldOf({ build })
    const row = onlyOne(cimv2, 'SELECT * FROM Win32_OperatingSystem')
    assert.equal(textOf(row, 'BuildNumber'), String(build))
    assert.match(textOf(row, 'Caption'), /^Microsoft Windows Server 20/)
    versions.push(textOf(row, 'Version'))
  }

  assert.deepEqual(versions, [
    '6.1.7601',
    '6.2.9200',
    '6.3.9600',
    '10.0.14393',
    '10.0.17763',
    '10.0.20348',
    '10.0.26100',
  ])
})

test('free memory is what machines leave of it, in KiB', async () => {
  const world = await worldOf({ memoryMb: 16_384 })
  const free = () => valueOf(onlyOne(world.cimv2, 'SELECT * FROM Win32_OperatingSystem'), 'FreePhysicalMemory')
  const before = free()
  turnOn(world.host, machineIn(world, 'web'))

  assert.equal(before, BigInt(freeMemoryMb(world.host) + 1024) * 1024n)
  assert.equal(free(), BigInt(freeMemoryMb(world.host)) * 1024n)
})

test('a host has a name, a name in DNS, memory and processors', async () => {
  const { cimv2, host } = await worldOf({ name: 'hv-one', cpus: 24, memoryMb: 32_768 })

  const row = onlyOne(cimv2, 'SELECT * FROM Win32_ComputerSystem')
  assert.equal(textOf(row, 'Name'), 'HV-ONE')
  assert.equal(textOf(row, 'DNSHostName'), 'hv-one')
  assert.equal(valueOf(row, 'TotalPhysicalMemory'), 32_768n * 1_048_576n)
  assert.equal(valueOf(row, 'NumberOfLogicalProcessors'), 24)
  const processor = onlyOne(
    cimv2,
    "ASSOCIATORS OF {Win32_ComputerSystem.Name='HV-ONE'} WHERE AssocClass = Win32_ComputerSystemProcessor ResultClass = Win32_Processor",
  )
  assert.equal(valueOf(processor, 'NumberOfCores'), 12)
  assert.equal(valueOf(processor, 'NumberOfLogicalProcessors'), 24)
  assert.equal(valueOf(processor, 'Architecture'), 9)
  assert.equal(textOf(onlyOne(cimv2, 'SELECT UUID FROM Win32_ComputerSystemProduct'), 'UUID'), host.state.uuid)
})

test('the program of the management service is found as clients look for it, and all files are not', async () => {
  const { cimv2 } = await worldOf({ build: 9200 })
  for (const where of [
    "Name='c:\\\\windows\\\\system32\\\\vmms.exe'",
    "Name='C:\\\\Windows\\\\System32\\\\VMMS.EXE'",
    "Path='\\\\windows\\\\system32\\\\' AND FileName='vmms'",
    "Drive='c:' AND Path='\\\\windows\\\\system32\\\\' AND FileName='vmms' AND Extension='exe'",
  ]) {
    assert.equal(textOf(onlyOne(cimv2, ` Select * from CIM_Datafile where ${where}`), 'Version'), '6.2.9200.16384')
  }
  assert.deepEqual(query(cimv2, "SELECT * FROM CIM_DataFile WHERE Name='c:\\\\autoexec.bat'"), [])
  assert.deepEqual(query(cimv2, "SELECT * FROM CIM_DataFile WHERE Path='\\\\' AND FileName='vmms'"), [])
  for (const where of ['', " WHERE FileName='vmms'", " WHERE Extension='exe'"]) {
    assert.throws(
      () => query(cimv2, `SELECT * FROM CIM_DataFile${where}`),
      (error: unknown) => error instanceof WmiError && error.hresult === 0x80041001,
    )
  }
})

test('CPU time of each virtual processor is counted by the name of its machine, and in sum', async () => {
  const world = await worldOf()
  const [web, db] = [machineIn(world, 'web', 'windows'), machineIn(world, 'db: 2', 'linux')]
  for (const vm of [web, db]) turnOn(world.host, vm)
  await world.clock.advance(3_600_000)
  const time = (name: string) =>
    valueOf(onlyOne(world.cimv2, `SELECT * FROM ${PERFORMANCE} WHERE Name = '${name}'`), 'PercentTotalRunTime')

  assert.equal(time('web:Hv VP 0'), cpuTimesOf(world.host, web)[0])
  assert.equal(time('DB: 2:hv vp 0'), cpuTimesOf(world.host, db)[0])
  const sum = [web, db].reduce((all, vm) => all + (cpuTimesOf(world.host, vm)[0] ?? 0n), 0n)
  assert(sum > 0n)
  assert.equal(time('_Total'), sum)
  assert.equal(query(world.cimv2, `SELECT * FROM ${PERFORMANCE}`).length, 3)
  for (const name of ['web:Hv VP 1', 'nobody:Hv VP 0', 'web', '']) {
    assert.deepEqual(query(world.cimv2, `SELECT * FROM ${PERFORMANCE} WHERE Name = '${name}'`), [])
  }
})

test('processors of two machines of one name are counted apart, the second with a number behind', async () => {
  const world = await worldOf()
  const twins = [machineIn(world, 'twin', 'windows'), machineIn(world, 'twin', 'linux')]
  for (const vm of twins) turnOn(world.host, vm)
  await world.clock.advance(3_600_000)
  const rows = query(world.cimv2, `SELECT * FROM ${PERFORMANCE} WHERE Name LIKE 'twin:Hv VP %'`)

  assert.deepEqual(
    rows.map(row => textOf(row, 'Name')),
    ['twin:Hv VP 0', 'twin:Hv VP 0#1'],
  )
  assert.deepEqual(
    rows.map(row => valueOf(row, 'PercentTotalRunTime')),
    twins.map(vm => cpuTimesOf(world.host, vm)[0]),
  )
  const second = onlyOne(world.cimv2, `SELECT * FROM ${PERFORMANCE} WHERE Name = 'twin:Hv VP 0#1'`)
  assert.equal(textOf(second, 'Name'), 'twin:Hv VP 0#1')
})

test('each logical processor of the host is busy for a part of the time, and idle for the rest', async () => {
  const world = await worldOf({ cpus: 4 })
  await world.clock.advance(3_600_000)
  const rows = query(world.cimv2, `SELECT * FROM ${LOGICAL}`)

  const names = ['Hv LP 0', 'Hv LP 1', 'Hv LP 2', 'Hv LP 3', '_Total']
  assert.deepEqual(
    rows.map(row => textOf(row, 'Name')),
    names,
  )
  const times = rows
    .slice(0, 4)
    .map(row => Number(valueOf(row, 'PercentTotalRunTime')) + Number(valueOf(row, 'PercentIdleTime')))
  assert.equal(new Set(times).size, 1)
  assert(Math.abs((times[0] ?? 0) / 10_000 - (world.clock.now() - world.host.state.bootedAt)) < 1)
})

test('disks, volumes, network cards and services of the host are there', async () => {
  const { cimv2, host } = await worldOf()

  assert.equal(query(cimv2, 'SELECT * FROM Win32_DiskDrive').length, host.state.physicalDisks.length)
  assert.equal(query(cimv2, 'SELECT * FROM Win32_LogicalDisk WHERE DriveType = 3').length, 1)
  const [card] = query(cimv2, 'SELECT * FROM Win32_NetworkAdapter WHERE PhysicalAdapter = TRUE')
  assert.match(card === undefined ? '' : textOf(card, 'MACAddress'), /^([0-9A-F]{2}:){5}[0-9A-F]{2}$/)
  const service = onlyOne(cimv2, "SELECT * FROM Win32_Service WHERE Name = 'vmms'")
  assert.equal(textOf(service, 'State'), 'Running')
})

/** What the driver of libvirt demands of each class, scalars only. */
function scalarsRead(): Map<string, string[]> {
  const url = new URL('../fixtures/hyperv/schema/v2-properties-read-by-libvirt.json', import.meta.url)
  const read: unknown = JSON.parse(readFileSync(url, 'utf8'))
  assert(typeof read === 'object' && read !== null)
  const scalars = new Map<string, string[]>()
  for (const [name, properties] of Object.entries(read)) {
    assert(Array.isArray(properties))
    const names = properties.map((property: unknown) => (Array.isArray(property) ? String(property[1]) : ''))
    scalars.set(
      name,
      names.filter(each => !each.endsWith('[]')),
    )
  }
  return scalars
}

test('whatever libvirt reads of a class is written once, or nil', async () => {
  const world = await worldOf({ vms: 6 })
  await world.clock.advance(60_000)
  let classes = 0
  for (const [className, scalars] of scalarsRead()) {
    const repository = world.v2.schema.find(className) === undefined ? world.cimv2 : world.v2
    const narrowed = className === 'CIM_DataFile' ? " WHERE Drive='c:'" : ''
    const [instance] = query(repository, `SELECT * FROM ${className}${narrowed}`)
    if (instance === undefined) continue
    classes++
    const text = new InstanceWriter(repository.schema.namespace).write(instance)
    for (const name of scalars) {
      const elements = text.split(`<p:${name}>`).length + text.split(`<p:${name} `).length - 2
      assert.equal(elements, 1, `${className}.${name}`)
    }
  }
  assert(classes >= 16, `${classes} classes`)
})
