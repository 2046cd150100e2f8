import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import { turnOn } from '../../sim/hyperv/host/power.ts'
import { call, machineIn, onlyOne, query } from './host-world.ts'
import { createDisk, DISKS, fileOf, putDisk, type StorageWorld, storageWorld } from './images-world.ts'

const DISK = `${DISKS}\\web-1.vhdx`
const GIB = 1024 ** 3
const doubled = (path: string): string => path.replaceAll('\\', '\\\\')

const fileAt = (world: StorageWorld, path: string) =>
  onlyOne(world.cimv2, `SELECT * FROM CIM_DataFile WHERE Name = '${doubled(path)}'`)

test('what is in a folder is listed by its drive and path, as clients look for disks', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  await createDisk(world, `${DISKS}\\web-2.vhd`)
  mkdirSync(fileOf(world, `${DISKS}\\more`))

  const where = `Drive = 'C:' AND Path = '${doubled(`${DISKS.slice(2)}\\`)}'`
  const files = query(world.cimv2, `SELECT * FROM CIM_DataFile WHERE ${where}`)
  const folders = query(world.cimv2, `SELECT * FROM Win32_Directory WHERE ${where}`)
  const disks = query(world.cimv2, `SELECT * FROM CIM_DataFile WHERE ${where} AND Extension = 'vhdx'`)

  assert.deepEqual(
    files.map(file => textOf(file, 'Name')),
    [`${DISKS}\\web-1.vhdx`, `${DISKS}\\web-2.vhd`].map(path => path.toLowerCase()),
  )
  assert.deepEqual(
    folders.map(folder => textOf(folder, 'Name')),
    [`${DISKS}\\more`.toLowerCase()],
  )
  assert.equal(disks.length, 1)
})

test('a file is told with its size and the parts of its name', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)

  const file = fileAt(world, DISK)

  assert.equal(valueOf(file, 'FileSize'), 4_194_304n)
  assert.deepEqual(
    ['Drive', 'Path', 'FileName', 'Extension'].map(name => textOf(file, name)),
    ['c:', `${DISKS.slice(2).toLowerCase()}\\`, 'web-1', 'vhdx'],
  )
  assert.deepEqual(query(world.cimv2, "SELECT * FROM CIM_DataFile WHERE Drive = 'D:'"), [])
})

test('a file is deleted unless somebody has it open, a folder when it is empty', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const vm = machineIn(world, 'web-1')
  await putDisk(world, vm, DISK)
  turnOn(world.host, vm)
  const other = `${DISKS}\\other.iso`
  writeFileSync(fileOf(world, other), 'x')
  const folder = onlyOne(world.cimv2, `SELECT * FROM Win32_Directory WHERE Name = '${doubled(DISKS)}'`)

  assert.equal((await call(world.cimv2, fileAt(world, DISK), 'Delete')).returnValue, 15)
  assert.equal((await call(world.cimv2, fileAt(world, other), 'Delete')).returnValue, 0)
  assert.deepEqual(query(world.cimv2, `SELECT * FROM CIM_DataFile WHERE Name = '${doubled(other)}'`), [])
  assert.equal((await call(world.cimv2, folder, 'Delete')).returnValue, 14)
  const program = fileAt(world, 'C:\\Windows\\System32\\vmms.exe')
  assert.equal((await call(world.cimv2, program, 'Delete')).returnValue, 2)
})

test('a file is given another name, but none that is taken or leads elsewhere', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  await createDisk(world, `${DISKS}\\taken.vhdx`)
  const rename = async (FileName: string) =>
    (await call(world.cimv2, fileAt(world, DISK), 'Rename', { FileName })).returnValue

  assert.equal(await rename(`${DISKS}\\TAKEN.vhdx`), 10)
  assert.equal(await rename('C:\\..\\away.vhdx'), 9)
  assert.equal(await rename('D:\\away.vhdx'), 9)
  assert.equal(await rename(`${DISKS}\\web-one.vhdx`), 0)
  assert.equal(textOf(fileAt(world, `${DISKS}\\web-one.vhdx`), 'FileName'), 'web-one')
})

test('the drive has as much less free as its files are long', async context => {
  const world = await storageWorld(context)
  const free = (): bigint => {
    const value = valueOf(onlyOne(world.cimv2, "SELECT * FROM Win32_LogicalDisk WHERE DeviceID = 'C:'"), 'FreeSpace')
    assert(typeof value === 'bigint')
    return value
  }
  const before = free()

  await createDisk(world, DISK, { Type: 2, MaxInternalSize: 10 * GIB })

  const used = Number(before - free())
  assert(used >= 10 * GIB && used < 11 * GIB)
})

test('files and folders are copied to where nothing is, and to other drives, whither nothing is renamed', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  mkdirSync(join(world.folder, 'D'))
  mkdirSync(fileOf(world, `${DISKS}\\inner`))
  const folderAt = (path: string) =>
    onlyOne(world.cimv2, `SELECT * FROM Win32_Directory WHERE Name = '${doubled(path)}'`)
  const file = async (method: string, FileName: string) =>
    (await call(world.cimv2, fileAt(world, DISK), method, { FileName })).returnValue
  const copyEx = async (FileName: string, Recursive: boolean) =>
    (await call(world.cimv2, folderAt(DISKS), 'CopyEx', { FileName, Recursive })).returnValue

  assert.equal(await file('Rename', 'D:\\web-1.vhdx'), 13)
  assert.equal(await file('Copy', 'D:\\nowhere\\web-1.vhdx'), 9)
  assert.equal(await file('Copy', 'D:\\web-1.vhdx'), 0)
  assert.equal(await file('Copy', 'D:\\WEB-1.VHDX'), 10)
  assert.equal(await copyEx('D:\\copy', false), 0)
  assert.equal(await copyEx('D:\\copy', false), 10)
  assert.equal(await copyEx('D:\\deep', true), 0)
  assert.equal(await copyEx('D:\\no\\where', true), 9)
  assert.equal(await copyEx(`${DISKS}\\inner\\copy`, true), 9)

  assert.deepEqual(readdirSync(join(world.folder, 'D/copy')), ['web-1.vhdx'])
  assert.deepEqual(readdirSync(join(world.folder, 'D/deep')).toSorted(), ['inner', 'web-1.vhdx'])
  const drives = query(world.cimv2, 'SELECT * FROM Win32_LogicalDisk WHERE DriveType = 3')
  assert.deepEqual(
    drives.map(drive => textOf(drive, 'DeviceID')),
    ['C:', 'D:'],
  )
  assert.equal(query(world.cimv2, "SELECT * FROM CIM_DataFile WHERE Drive = 'd:' AND Path = '\\\\'").length, 1)
})
