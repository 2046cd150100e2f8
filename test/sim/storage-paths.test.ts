import assert from 'node:assert/strict'
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import { FileSystem } from '../../sim/hyperv/storage/file-system.ts'
import { parseWindowsPath, printWindowsPath } from '../../sim/hyperv/storage/windows-path.ts'
import { atEnd } from '../support/at-end.ts'

const DISKS = 'C:\\Users\\Public\\Documents\\Hyper-V\\Virtual Hard Disks'

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sim-storage-'))
  atEnd(context, () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a path on a drive is read into its parts, with either separator and any number of them', () => {
  const path = parseWindowsPath('c:/VMs\\\\web-1\\disk.vhdx')

  assert.deepEqual(path, { drive: 'C', parts: ['VMs', 'web-1', 'disk.vhdx'] })
  assert.equal(path === undefined ? '' : printWindowsPath(path), 'C:\\VMs\\web-1\\disk.vhdx')
})

test('paths that lead nowhere on a drive, or elsewhere than they say, are none', () => {
  const none = [
    'disk.vhdx',
    'VMs\\disk.vhdx',
    '\\VMs\\disk.vhdx',
    'C:disk.vhdx',
    '\\\\server\\share\\disk.vhdx',
    '\\\\?\\C:\\disk.vhdx',
    '\\\\.\\PhysicalDrive0',
    '/etc/passwd',
    'C:\\VMs\\..\\..\\etc\\passwd',
    'C:\\VMs\\.\\disk.vhdx',
    'C:\\CON',
    'C:\\VMs\\nul.vhdx',
    'C:\\VMs\\LPT1',
    'C:\\a:b.vhdx',
    'C:\\a*b.vhdx',
    'C:\\a\u0000b.vhdx',
    'C:\\ends-in-a-point.',
    'C:\\ends-in-a-blank ',
    `C:\\${'x'.repeat(257)}`,
    `C:\\${'あ'.repeat(100)}`,
    'C:\\half \ud800 a character',
    '',
  ]

  for (const path of none) assert.equal(parseWindowsPath(path), undefined, path)
})

test('whatever text is taken for a path, it stays below the folder of the host', context => {
  const folder = folderOf(context)
  const files = new FileSystem(folder)

  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('C', ':', '\\', '/', '.', '..', 'a') })),
      text => {
        for (const path of [text, `C:\\${text}`]) {
          const place = files.place(path)
          if (place !== undefined) assert(place.startsWith(join(folder, 'C/')) && !place.includes('/../'))
        }
      },
    ),
  )
})

test('a new host has the folders that Hyper-V makes', context => {
  const files = new FileSystem(folderOf(context))

  assert.equal(files.find(DISKS)?.isFolder, true)
  assert.equal(files.find('C:\\ProgramData\\Microsoft\\Windows\\Hyper-V')?.isFolder, true)
  assert.equal(files.find('D:\\'), undefined)
})

test('a file is found in any case, and keeps the one that it was made in', context => {
  const folder = folderOf(context)
  const files = new FileSystem(folder)
  const place = files.place(`${DISKS.toUpperCase()}\\Web-1.VHDX`)
  assert(place !== undefined)
  writeFileSync(place, 'x')

  const found = files.find(`${DISKS.toLowerCase()}\\web-1.vhdx`)

  assert.equal(found?.path, `${DISKS}\\Web-1.VHDX`)
  assert.equal(found?.bytes, 1)
  assert.deepEqual(
    files.list(DISKS)?.map(({ path }) => path),
    [`${DISKS}\\Web-1.VHDX`],
  )
})

test('a new file has no place in a folder that is not there, or is a file', context => {
  const folder = folderOf(context)
  const files = new FileSystem(folder)
  writeFileSync(join(folder, 'C/file'), '')

  assert.equal(files.place('C:\\nowhere\\disk.vhdx'), undefined)
  assert.equal(files.place('C:\\file\\disk.vhdx'), undefined)
  assert.equal(files.place('C:\\'), undefined)
  assert.notEqual(files.place('C:\\disk.vhdx'), undefined)
})

test('symbolic links lead nowhere, neither to files nor through folders', context => {
  const folder = folderOf(context)
  const files = new FileSystem(folder)
  const outside = folderOf(context)
  writeFileSync(join(outside, 'secret.vhdx'), 'secret')
  symlinkSync(outside, join(folder, 'C/linked'))
  symlinkSync(join(outside, 'secret.vhdx'), join(folder, 'C/secret.vhdx'))

  assert.equal(files.find('C:\\linked'), undefined)
  assert.equal(files.find('C:\\linked\\secret.vhdx'), undefined)
  assert.equal(files.find('C:\\secret.vhdx'), undefined)
  assert.equal(files.place('C:\\linked\\new.vhdx'), undefined)
})

test('folders are made with those that they are in, and removed when they are empty', context => {
  const folder = folderOf(context)
  const files = new FileSystem(folder)

  assert.equal(files.makeFolder('C:\\VMs\\web-1'), true)
  const parent = files.find('C:\\vms')
  const child = files.find('C:\\vms\\WEB-1')
  assert(parent !== undefined && child !== undefined)
  assert.throws(() => files.remove(parent))
  files.remove(child)
  files.remove(parent)

  assert.equal(files.find('C:\\VMs'), undefined)
  assert.equal(files.makeFolder('D:\\VMs'), false)
})

test('all files count into what is used', context => {
  const folder = folderOf(context)
  const files = new FileSystem(folder)
  mkdirSync(join(folder, 'C/a'))
  writeFileSync(join(folder, 'C/a/1'), 'x'.repeat(1000))
  writeFileSync(join(folder, 'C/2'), 'x'.repeat(24))

  assert.equal(files.usedBytes('C'), 1024)
})
