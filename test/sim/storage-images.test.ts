import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import { crc32c } from '../../sim/hyperv/storage/crc32c.ts'
import { type DiskImage, ImageError, type ImageSpec, type Run } from '../../sim/hyperv/storage/disk-image.ts'
import { guidFromBytes, guidToBytes } from '../../sim/hyperv/storage/guid-bytes.ts'
import { copyRuns } from '../../sim/hyperv/storage/image-copy.ts'
import { makeImage, openImage } from '../../sim/hyperv/storage/open-image.ts'
import { atEnd } from '../support/at-end.ts'

// What is written here is read by QEMU, and what QEMU writes is read here: two makers of the same formats.

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const newGuid = (): string => randomUUID().toUpperCase()
const WATCH = { signal: new AbortController().signal, progress: () => undefined }

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sim-images-'))
  atEnd(context, () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function specOf(format: 'vhd' | 'vhdx', type: 'fixed' | 'dynamic', bytes: number, blockBytes?: number): ImageSpec {
  const isVhd = format === 'vhd'
  return {
    format,
    type,
    bytes,
    blockBytes: isVhd && type === 'fixed' ? 0 : (blockBytes ?? (isVhd ? 2 * MIB : 32 * MIB)),
    logicalSectorBytes: 512,
    physicalSectorBytes: isVhd ? 512 : 4096,
    id: newGuid(),
    madeAt: Date.UTC(2026, 6, 1),
  }
}

const FOREIGN = { vhd: 'vpc', vhdx: 'vhdx' } as const

function foreignInfo(file: string, format: 'vhd' | 'vhdx'): Record<string, unknown> {
  const text = execFileSync('qemu-img', ['info', '-f', FOREIGN[format], '--output=json', file], { encoding: 'utf8' })
  return JSON.parse(text)
}

/** Throws where the bytes are not all `value`. */
function foreignRead(file: string, format: 'vhd' | 'vhdx', value: number, offset: number, length: number): void {
  const text = execFileSync(
    'qemu-io',
    ['-r', '-f', FOREIGN[format], '-c', `read -P ${value} ${offset} ${length}`, file],
    { encoding: 'utf8' },
  )
  assert.doesNotMatch(text, /fail|error/i)
  assert.match(text, new RegExp(`read ${length}/${length} bytes`))
}

async function runsIn(image: DiskImage): Promise<Run[]> {
  const runs: Run[] = []
  for await (const run of image.runs()) runs.push(run)
  return runs
}

for (const format of ['vhd', 'vhdx'] as const) {
  for (const type of ['dynamic', 'fixed'] as const) {
    test(`QEMU reads a ${type} ${format} as it was written, before and after it grew`, async context => {
      const file = join(folderOf(context), `disk.${format}`)
      const image = await makeImage(file, specOf(format, type, 5 * GIB), newGuid)
      assert.equal(foreignInfo(file, format)['virtual-size'], 5 * GIB)
      await image.write(40 * MIB, Buffer.alloc(4096, 7))
      await image.write(5 * GIB - 512, Buffer.alloc(512, 9))

      await image.grow(10 * GIB)
      await image.write(10 * GIB - 512, Buffer.alloc(512, 8))
      await image.verify()
      await image.close()

      assert.equal(foreignInfo(file, format)['virtual-size'], 10 * GIB)
      foreignRead(file, format, 7, 40 * MIB, 4096)
      foreignRead(file, format, 9, 5 * GIB - 512, 512)
      foreignRead(file, format, 8, 10 * GIB - 512, 512)
      foreignRead(file, format, 0, 5 * GIB, MIB)
      if (format === 'vhdx') execFileSync('qemu-img', ['check', '-q', '-f', 'vhdx', file])
    })

    test(`a ${type} ${format} that QEMU made is read, and written so that QEMU reads it again`, async context => {
      const file = join(folderOf(context), `disk.${format}`)
      const extra = format === 'vhd' ? ',force_size=on' : ''
      const options = ['-o', `subformat=${type}${extra}`]
      execFileSync('qemu-img', ['create', '-q', '-f', FOREIGN[format], ...options, file, '64M'])
      execFileSync('qemu-io', ['-f', FOREIGN[format], '-c', 'write -P 5 3M 1M', file])

      const image = await openImage(file, 'write', newGuid)
      atEnd(context, () => image.close())
      assert.equal(image.shape.bytes, 64 * MIB)
      assert.equal(image.shape.type, type)
      assert.deepEqual(await image.read(3 * MIB, MIB), Buffer.alloc(MIB, 5))
      await image.write(50 * MIB, Buffer.alloc(MIB, 6))
      await image.verify()

      foreignRead(file, format, 5, 3 * MIB, MIB)
      foreignRead(file, format, 6, 50 * MIB, MIB)
    })
  }
}

test('a dynamic VHDX has 4 MiB at first, as on real hosts', async context => {
  const file = join(folderOf(context), 'disk.vhdx')
  const image = await makeImage(file, specOf('vhdx', 'dynamic', 64 * GIB), newGuid)
  await image.close()

  assert.equal(statSync(file).size, 4 * MIB)
})

test('a VHDX whose table is too short for its disk gets a longer one, and keeps what it holds', async context => {
  const file = join(folderOf(context), 'disk.vhdx')
  const image = await makeImage(file, specOf('vhdx', 'dynamic', 64 * GIB, MIB), newGuid)
  await image.write(64 * GIB - MIB, Buffer.alloc(MIB, 3))

  await image.grow(1024 * GIB)
  await image.write(1024 * GIB - MIB, Buffer.alloc(MIB, 4))
  await image.verify()
  await image.close()

  assert.equal(foreignInfo(file, 'vhdx')['virtual-size'], 1024 * GIB)
  foreignRead(file, 'vhdx', 3, 64 * GIB - MIB, MIB)
  foreignRead(file, 'vhdx', 4, 1024 * GIB - MIB, MIB)
})

for (const format of ['vhd', 'vhdx'] as const) {
  const child = async (folder: string, parent: DiskImage, name = 'child'): Promise<DiskImage> => {
    const { linkage, timestamp = 0, bytes } = parent.shape
    const spec: ImageSpec = {
      ...specOf(format, 'dynamic', bytes, 2 * MIB),
      type: 'differencing',
      parent: { path: `C:\\VMs\\ペアレント.${format}`, relativePath: `.\\ペアレント.${format}`, linkage, timestamp },
    }
    return makeImage(join(folder, `${name}.${format}`), spec, newGuid)
  }

  test(`a differencing ${format} knows its parent, and holds nothing at first`, async context => {
    const folder = folderOf(context)
    const parent = await makeImage(join(folder, `parent.${format}`), specOf(format, 'dynamic', 5 * GIB), newGuid)
    atEnd(context, () => parent.close())
    await (await child(folder, parent)).close()

    const image = await openImage(join(folder, `child.${format}`), 'read', newGuid)
    atEnd(context, () => image.close())

    assert.equal(image.shape.type, 'differencing')
    assert.equal(image.shape.bytes, 5 * GIB)
    assert.equal(image.shape.parent?.path, `C:\\VMs\\ペアレント.${format}`)
    assert.equal(image.shape.parent?.relativePath, `.\\ペアレント.${format}`)
    assert.equal(image.shape.parent?.linkage, parent.shape.linkage)
    assert.deepEqual(await runsIn(image), [])
    await image.verify()
  })

  test(`a differencing ${format} holds the sectors that were written, and no others`, async context => {
    const folder = folderOf(context)
    const parent = await makeImage(join(folder, `parent.${format}`), specOf(format, 'dynamic', 5 * GIB), newGuid)
    atEnd(context, () => parent.close())
    const image = await child(folder, parent)
    atEnd(context, () => image.close())

    await image.write(2 * MIB - 512, Buffer.alloc(1536, 1))
    await image.write(4 * MIB + 4096, Buffer.alloc(512, 2))
    await image.write(5 * GIB - 1024, Buffer.alloc(1024, 3))

    assert.deepEqual(await runsIn(image), [
      { offset: 2 * MIB - 512, length: 512, isZero: false },
      { offset: 2 * MIB, length: 1024, isZero: false },
      { offset: 4 * MIB + 4096, length: 512, isZero: false },
      { offset: 5 * GIB - 1024, length: 1024, isZero: false },
    ])
    assert.deepEqual(await image.read(2 * MIB - 512, 1536), Buffer.alloc(1536, 1))
    await image.verify()
  })

  test(`what a differencing ${format} holds goes over what its parent holds`, async context => {
    const folder = folderOf(context)
    const file = join(folder, `parent.${format}`)
    const parent = await makeImage(file, specOf(format, 'dynamic', 64 * MIB), newGuid)
    await parent.write(0, Buffer.alloc(8192, 1))
    const image = await child(folder, parent)
    await image.write(4096, Buffer.alloc(512, 2))
    await image.write(40 * MIB, Buffer.alloc(512, 0))

    await copyRuns(image, parent, WATCH, false)
    await Promise.all([image.close(), parent.close()])

    foreignRead(file, format, 1, 0, 4096)
    foreignRead(file, format, 2, 4096, 512)
    foreignRead(file, format, 1, 4608, 3584)
  })

  test(`a differencing ${format} can be given another parent, also with a much longer path`, async context => {
    const folder = folderOf(context)
    const parent = await makeImage(join(folder, `parent.${format}`), specOf(format, 'dynamic', 64 * MIB), newGuid)
    const image = await child(folder, parent)
    await image.write(0, Buffer.alloc(512, 1))
    const path = `C:\\${'long\\'.repeat(45)}other.${format}`
    const linkage = newGuid()

    await image.relink({ path, linkage })
    await Promise.all([image.close(), parent.close()])
    const again = await openImage(join(folder, `child.${format}`), 'read', newGuid)
    atEnd(context, () => again.close())

    assert.equal(again.shape.parent?.path, path)
    assert.equal(again.shape.parent?.linkage, linkage)
    assert.deepEqual(await again.read(0, 512), Buffer.alloc(512, 1))
    await again.verify()
  })

  test(`whatever is done to the bytes of a ${format}, it is read, or refused as no image`, async context => {
    const folder = folderOf(context)
    const file = join(folder, `disk.${format}`)
    const parent = await makeImage(file, specOf(format, 'dynamic', 64 * MIB), newGuid)
    const image = await child(folder, parent)
    await image.write(0, Buffer.alloc(512, 1))
    await Promise.all([image.close(), parent.close()])
    const whole = readFileSync(join(folder, `child.${format}`))
    // Where the structures are; the rest of a VHDX is mostly empty.
    const places = [0, 64, 128, 192, 256, 2048, 2112, 3072].map(kib => kib * 1024).filter(at => at < whole.length)
    const broken = join(folder, 'broken')

    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.nat(600),
        fc.uint8Array({ minLength: 1, maxLength: 16 }),
        fc.nat(3),
        async (place, offset, bytes, cut) => {
          const copy = Buffer.from(whole.subarray(0, cut === 0 ? place + offset : whole.length))
          copy.set(bytes.subarray(0, Math.max(0, copy.length - place - offset)), Math.min(place + offset, copy.length))
          writeFileSync(broken, copy)
          await tryToRead(broken)
        },
      ),
      { numRuns: 150 },
    )
  })
}

async function tryToRead(file: string): Promise<void> {
  const RUNS_MAX = 1000
  let image: DiskImage | undefined
  try {
    image = await openImage(file, 'read', newGuid)
    let runs = 0
    for await (const { offset, length } of image.runs()) {
      await image.read(offset, Math.min(length, 512))
      runs += 1
      if (runs > RUNS_MAX) break
    }
    await image.verify()
  } catch (error) {
    assert(error instanceof ImageError, String(error))
  } finally {
    await image?.close()
  }
}

test('the checksum is that of the published example', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

test('a GUID becomes the bytes that Windows keeps, and these the GUID', () => {
  const guid = '2DC27766-F623-4200-9D64-115E9BFD4A08'

  assert.equal(guidToBytes(guid).toString('hex'), '6677c22d23f600429d64115e9bfd4a08')
  assert.equal(guidFromBytes(guidToBytes(guid)), guid)
})
