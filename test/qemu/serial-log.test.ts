import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { afterEach, beforeEach, test } from 'node:test'
import { filesOf, type DomainFiles } from '../../src/drivers/qemu/layout.ts'
import { makeFolder } from '../../src/drivers/qemu/folder.ts'
import { SerialLog } from '../../src/drivers/qemu/serial-log.ts'
import { TEST_MS, World } from './world.ts'

const BYTES_MAX = 16
const PLENTY = 1_000

let root: string
let files: DomainFiles
let log: SerialLog
beforeEach(async () => {
  root = await mkdtemp('/tmp/pv-')
  files = filesOf(root, crypto.randomUUID())
  await makeFolder(files.folder)
  log = new SerialLog(files)
})
afterEach(() => rm(root, { recursive: true, force: true }))

const print = (text: string) => appendFile(files.serialLog, text)

async function read(from: number, bytesMax = PLENTY): Promise<readonly [string, number]> {
  const { data, next } = await log.read(from, bytesMax)
  return [Buffer.from(data).toString('latin1'), next]
}

test('a log that was never written reads as nothing', async () => {
  assert.deepEqual(await read(0), ['', 0])
})

test('a log below its bound is not rotated', async () => {
  await print('0123456789')
  await log.rotateIfLong(BYTES_MAX)

  assert.deepEqual(await read(3, 4), ['3456', 7])
  assert.deepEqual(await read(10), ['', 10])
})

test('positions grow across rotations, and the last old piece can still be read', async () => {
  await print('0123456789abcdefg')
  await log.rotateIfLong(BYTES_MAX)
  await print('hi')

  assert.equal((await stat(files.serialLog)).size, 2)
  assert.deepEqual(await read(12), ['cdefg', 17])
  assert.deepEqual(await read(17), ['hi', 19])
  assert.deepEqual(await read(19), ['', 19])
})

test('a position that is kept no more reads from the oldest byte that is', async () => {
  await print('0123456789abcdefg')
  await log.rotateIfLong(BYTES_MAX)
  await print('ABCDEFGHIJKLMNOPQ')
  await log.rotateIfLong(BYTES_MAX)

  assert.deepEqual(await read(0), ['BCDEFGHIJKLMNOPQ', 34])
})

test('a position beyond the end reads from the end', async () => {
  await print('abc')

  assert.deepEqual(await read(100), ['', 3])
})

test('positions are remembered by those who come later', async () => {
  await print('0123456789abcdefg')
  await log.rotateIfLong(BYTES_MAX)
  await print('hi')
  log = new SerialLog(files)

  assert.deepEqual(await read(15), ['fg', 17])
  assert.deepEqual(await read(17), ['hi', 19])
})

test('what is printed while others read and rotate is neither lost nor repeated', async () => {
  const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(40)
  let seen = ''
  let position = 0
  const step = async (bytesMax: number) => {
    const { data, next } = await log.read(position, bytesMax)
    seen += Buffer.from(data).toString('latin1')
    position = next
  }
  for (let start = 0; start < TEXT.length; start += 10) {
    await print(TEXT.slice(start, start + 10))
    await Promise.all([step(7), log.rotateIfLong(BYTES_MAX)])
    await Promise.all([log.rotateIfLong(BYTES_MAX), step(11)])
  }
  await step(PLENTY)
  await step(PLENTY)

  assert.equal(seen, TEXT)
})

test('the log of a running guest is rotated under it, and the guest prints on', { timeout: TEST_MS }, async () => {
  const world = await World.open()
  try {
    const id = await world.booted()
    const rotating = new SerialLog(world.files(id))
    await rotating.rotateIfLong(BYTES_MAX)
    const { next } = await rotating.read(Number.MAX_SAFE_INTEGER, PLENTY)
    assert(next > 0)

    await world.until('it prints on', async () => (await rotating.read(next, PLENTY)).data.length > 0)
    const first = await rotating.read(0, PLENTY)
    assert.match(Buffer.from(first.data).toString('latin1'), /TICK 0001/)
  } finally {
    await world.close()
  }
})
