import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { DriverError } from '../../src/drivers/driver.ts'
import { type InnerSnapshot, readInnerSnapshots, readState } from '../../src/drivers/qemu/qcow2-snapshots.ts'

const execute = promisify(execFile)
const HEADER_BYTES = 72
const RUNS = 300

let folder: string
let image: Buffer
before(async () => {
  folder = await mkdtemp('/tmp/pv-')
  const path = join(folder, 'image.qcow2')
  await execute('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512', path, '64k'])
  for (const name of ['one', 'zwölf', 'a name that is longer'])
    await execute('qemu-img', ['snapshot', '-c', name, path])
  image = await readFile(path)
})
after(() => rm(folder, { recursive: true }))

async function read(bytes: Buffer): Promise<readonly InnerSnapshot[]> {
  const path = join(folder, 'read')
  await writeFile(path, bytes)
  const file = await open(path, 'r')
  try {
    const snapshots = await readInnerSnapshots(file)
    for (const snapshot of snapshots) {
      let length = 0
      for await (const piece of readState(file, snapshot)) length += piece.length
      assert.equal(length, snapshot.stateBytes)
    }
    return snapshots
  } finally {
    await file.close()
  }
}

test('the snapshots within an image are read by their names', async () => {
  const found = await read(image)

  assert.deepEqual(
    found.map(({ name, stateBytes }) => [name, stateBytes]),
    [
      ['one', 0],
      ['zwölf', 0],
      ['a name that is longer', 0],
    ],
  )
})

test('of an image that is damaged anywhere they are read, or refused', async () => {
  const table = Number(image.readBigUInt64BE(64))
  const places = fc.oneof(fc.nat(HEADER_BYTES - 1), fc.integer({ min: table, max: image.length - 1 }))
  const damages = fc.array(fc.tuple(places, fc.nat(255)), { minLength: 1, maxLength: 4 })
  const lengths = fc.oneof(fc.constant(image.length), fc.nat(image.length))
  await fc.assert(
    fc.asyncProperty(damages, lengths, async (damage, length) => {
      const bytes = Buffer.from(image)
      for (const [place, byte] of damage) bytes[place] = byte
      try {
        await read(bytes.subarray(0, length))
      } catch (error) {
        assert(error instanceof DriverError && error.kind === 'refused', String(error))
      }
    }),
    { numRuns: RUNS },
  )
})
