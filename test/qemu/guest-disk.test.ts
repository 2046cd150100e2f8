import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { type BootConfig, type DiskConfig, DriverError, type ImageFormat } from '../../src/drivers/driver.ts'
import { takeFromGuest } from '../../src/drivers/qemu/guest-disk/index.ts'
import { type Files, type PartitionPlan, writeDisk, writeFileSystem } from '../guests/disk.ts'

const call = promisify(execFile)
const TEST_MS = 180_000

/** Bytes that begin as a Linux kernel does, and are otherwise all different. */
function kernelOf(bytes: number): Buffer {
  const kernel = Buffer.from(Uint8Array.from({ length: bytes }, (_, index) => (index * 7 + (index >> 8)) & 0xff))
  kernel.writeUInt16LE(0xaa55, 0x1fe)
  kernel.write('HdrS', 0x202)
  return kernel
}

const KERNEL = kernelOf(3_000_001)
const SMALL_KERNEL = kernelOf(5_000)
const INITRD = Buffer.from('an initrd')

const diskAt = (location: string, format: ImageFormat = 'raw'): DiskConfig => ({
  id: 'a',
  location,
  format,
  readOnly: false,
  device: 'hda',
  bus: 'paravirtualised',
})

const byPath = (kernel: string, initrd: string | null = null, cmdline = 'x'): BootConfig => ({
  kind: 'guest-kernel',
  kernel,
  initrd,
  cmdline,
})

describe("a kernel on a guest's disk", () => {
  let folder: string
  let count = 0
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'polyvisor-disk-'))
    await mkdir(join(folder, 'out'))
  })
  after(() => rm(folder, { recursive: true }))

  const place = (ending = 'raw') => join(folder, `${++count}.${ending}`)

  /** What is taken from a disk. The files are gone when it resolves. */
  async function taken(disk: DiskConfig, boot: BootConfig) {
    const result = await takeFromGuest({ boot, disks: [disk] }, join(folder, 'out'))
    assert(result !== undefined)
    const { kernel, initrd, cmdline } = result.boot
    const contents = {
      kernel: await readFile(kernel),
      initrd: initrd === null ? null : await readFile(initrd),
      cmdline,
    }
    await result.discard()
    assert.deepEqual(await readdir(join(folder, 'out')), [])
    return contents
  }

  async function refused(disk: DiskConfig, boot: BootConfig, message: RegExp): Promise<void> {
    await assert.rejects(takeFromGuest({ boot, disks: [disk] }, join(folder, 'out')), { kind: 'refused', message })
    assert.deepEqual(await readdir(join(folder, 'out')), [])
  }

  const tree: Files = {
    'boot/vmlinuz-6.1': KERNEL,
    'boot/vmlinuz': { linkTo: 'vmlinuz-6.1' },
    vmlinuz: { linkTo: '/boot/./vmlinuz' },
    ['a-long-link']: { linkTo: `${'./'.repeat(40)}boot/../boot/vmlinuz` },
    'boot/initrd-with-a-rather-long-name.img': INITRD,
    ...Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [`many/file-with-a-rather-long-name-${index}`, 'x']),
    ),
    'many/initrd': INITRD,
  }
  const systems: readonly PartitionPlan[] = [
    { type: 'ext2', mib: 16 },
    { type: 'ext2', mib: 16, options: ['-b', '1024', '-r', '0'] },
    { type: 'ext3', mib: 16 },
    { type: 'ext4', mib: 16 },
    { type: 'ext4', mib: 16, options: ['-b', '1024', '-O', '^has_journal,^64bit'] },
    { type: 'ext4', mib: 16, options: ['-I', '256', '-O', 'inline_data,metadata_csum'] },
    { type: 'ext4', mib: 64, options: ['-O', 'bigalloc'] },
  ]
  for (const plan of systems) {
    const name = [plan.type, ...(plan.options ?? [])].join(' ')
    test(`is read from ${name}, in each format of images`, { timeout: TEST_MS }, async () => {
      const raw = place()
      await writeFileSystem(raw, { ...plan, files: tree })
      const [plain, packed] = [place('qcow2'), place('qcow2')]
      await call('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', 'cluster_size=4k', raw, plain])
      await call('qemu-img', ['convert', '-c', '-f', 'raw', '-O', 'qcow2', '-o', 'compat=0.10', raw, packed])

      for (const disk of [diskAt(raw), diskAt(plain, 'qcow2'), diskAt(packed, 'qcow2')]) {
        const expected = { kernel: KERNEL, initrd: INITRD, cmdline: 'x' }
        assert.deepEqual(await taken(disk, byPath('/vmlinuz', '/many/initrd')), expected)
        assert.deepEqual(await taken(disk, byPath('a-long-link', '/boot/initrd-with-a-rather-long-name.img')), expected)
        await refused(disk, byPath('/many'), /no file \/many \(hd0 ext\)/)
        await refused(disk, byPath('/many/initrd/x'), /no file \/many\/initrd\/x/)
      }
    })
  }

  for (const [width, mib, options] of [
    ['12', 4, []],
    ['16', 16, ['-s', '1']],
    ['32', 64, ['-s', '1']],
  ] as const) {
    test(`is read from FAT${width}`, { timeout: TEST_MS }, async () => {
      const files = { 'boot/Vmlinuz with a long name': KERNEL, 'INITRD.IMG': INITRD }
      const raw = place()
      await writeFileSystem(raw, { type: 'vfat', mib, options: ['-F', width, ...options], files })

      const expected = { kernel: KERNEL, initrd: INITRD, cmdline: 'x' }
      assert.deepEqual(await taken(diskAt(raw), byPath('/boot/vmlinuz with a LONG name', '/initrd.img')), expected)
    })
  }

  test('is read from primary and logical partitions', { timeout: TEST_MS }, async () => {
    const raw = place()
    await writeDisk(raw, 'dos', [
      { mib: 1 },
      { mib: 40, sfdisk: ', type=5' },
      { number: 5, type: 'ext4', mib: 4, files: { other: 'x' } },
      { number: 6, type: 'ext2', mib: 8, files: { k: KERNEL } },
    ])

    assert.deepEqual((await taken(diskAt(raw), byPath('/boot/k'))).kernel, KERNEL)
    await refused(diskAt(raw), byPath('/none'), /hd0,msdos1 unknown, hd0,msdos5 ext, hd0,msdos6 ext/)
  })

  test('is read where another partition cannot be, of which a refusal tells', { timeout: TEST_MS }, async () => {
    const raw = place()
    await writeDisk(raw, 'gpt', [
      { type: 'ext4', mib: 8, options: ['-O', 'meta_bg,^resize_inode'], files: { k: 'not this' } },
      { type: 'ext4', mib: 8, files: { k: SMALL_KERNEL } },
    ])

    assert.deepEqual((await taken(diskAt(raw), byPath('/k'))).kernel, SMALL_KERNEL)
    await refused(diskAt(raw), byPath('/none'), /hd0,gpt1 unreadable: .*meta block groups.*, hd0,gpt2 ext/)
  })

  test('is read where a journal was not replayed, of which a refusal tells', async () => {
    const raw = place()
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files: { k: SMALL_KERNEL } })
    await call('debugfs', ['-w', '-R', 'feature needs_recovery', raw])

    assert.deepEqual((await taken(diskAt(raw), byPath('/k'))).kernel, SMALL_KERNEL)
    await refused(diskAt(raw), byPath('/none'), /\(hd0 ext, not unmounted\)/)
  })

  test('is given up when the start is', { timeout: TEST_MS }, async () => {
    const raw = place()
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files: { k: SMALL_KERNEL } })
    const start = takeFromGuest({ boot: byPath('/k'), disks: [diskAt(raw)] }, join(folder, 'out'), AbortSignal.abort())

    await assert.rejects(start, { kind: 'refused', message: /given up/ })
  })

  test('is taken from the first disk by name, not from drives', async () => {
    const raw = place()
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files: { k: SMALL_KERNEL } })
    const drive: DiskConfig = { ...diskAt(place()), kind: 'cdrom', id: 'cd' }
    const second: DiskConfig = { ...diskAt(place()), device: 'hdb', id: 'b' }
    const disks = [second, drive, { ...diskAt(raw), device: 'hda' }]

    const result = await takeFromGuest({ boot: byPath('/k'), disks }, join(folder, 'out'))
    await result?.discard()
    assert.notEqual(result, undefined)
  })

  test('that is none, or has no end, is refused', async () => {
    const raw = place()
    const files = { text: 'x'.repeat(5_000), empty: '', big: { linkTo: 'text' }, k: SMALL_KERNEL }
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files })
    await refused(diskAt(raw), byPath('/text'), /is no Linux kernel/)
    await refused(diskAt(raw), byPath('/empty'), /is empty/)
    await refused(diskAt(raw), byPath('/k', '/empty'), /is empty/)
    await refused(diskAt(raw), byPath('/k', null, 'a\nb'), /control characters/)
  })

  test('larger than any is refused before a byte of it is read', async () => {
    const raw = place()
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files: { k: SMALL_KERNEL } })
    await call('debugfs', ['-w', '-R', 'set_inode_field /k size 80000000', raw])

    await refused(diskAt(raw), byPath('/k'), /80000000 bytes, which is more than 67108864/)
  })

  test('is not looked for outside of the disk, nor round in circles', async () => {
    const raw = place()
    const up = '../'.repeat(30)
    const files = {
      out: { linkTo: `${up}etc/passwd` },
      in: { linkTo: `${up}k` },
      a: { linkTo: 'b' },
      b: { linkTo: 'a' },
      c: { linkTo: `${'c/'.repeat(400)}c` },
      k: SMALL_KERNEL,
    }
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files })

    await refused(diskAt(raw), byPath('/out'), /no file \/out/)
    assert.deepEqual((await taken(diskAt(raw), byPath('/in'))).kernel, SMALL_KERNEL)
    await refused(diskAt(raw), byPath('/a'), /too many symbolic links/)
    await refused(diskAt(raw), byPath('/c'), /too long by symbolic links/)
  })

  describe('in an image that builds on another', () => {
    let base: string
    before(async () => {
      base = place()
      await writeFileSystem(base, { type: 'ext4', mib: 8, files: { k: KERNEL } })
    })

    const overlay = async (path: string, backing: string, format = 'raw', size: readonly string[] = []) => {
      await call('qemu-img', ['create', '-u', '-q', '-f', 'qcow2', '-F', format, '-b', backing, path, ...size])
      return diskAt(path, 'qcow2')
    }

    test('is read through the whole chain, in its folder and that of bases', async () => {
      await mkdir(join(folder, '.bases'), { recursive: true })
      const deep = join(folder, '.bases', 'one.raw')
      await writeFileSystem(deep, { type: 'ext4', mib: 8, files: { k: KERNEL } })
      await overlay(join(folder, '.bases', 'two.qcow2'), 'one.raw', 'raw', ['8M'])
      const top = await overlay(place('qcow2'), '.bases/two.qcow2', 'qcow2', ['20M'])
      const absolute = await overlay(place('qcow2'), top.location, 'qcow2', ['20M'])

      assert.deepEqual((await taken(top, byPath('/k'))).kernel, KERNEL)
      assert.deepEqual((await taken(absolute, byPath('/k'))).kernel, KERNEL)
    })

    test('is refused where that lies elsewhere, or is a link', async () => {
      await symlink(base, join(folder, 'link.raw'))
      for (const outside of [
        '/etc/passwd',
        '../x.raw',
        `.bases/../../x.raw`,
        '.bases/x/y.raw',
        'json:{"driver":"file"}/x',
      ]) {
        await refused(await overlay(place('qcow2'), outside, 'raw', ['8M']), byPath('/k'), /one outside its folder/)
      }
      await refused(
        await overlay(place('qcow2'), 'link.raw', 'raw', ['8M']),
        byPath('/k'),
        /link\.raw cannot be opened/,
      )
      await refused(
        await overlay(place('qcow2'), 'none.raw', 'raw', ['8M']),
        byPath('/k'),
        /none\.raw cannot be opened/,
      )
      await refused(await overlay(place('qcow2'), 'x.vmdk', 'vmdk', ['8M']), byPath('/k'), /of unknown format/)
    })

    test('is refused where they build on each other in a ring', async () => {
      const [one, two] = [place('qcow2'), place('qcow2')]
      await overlay(one, two, 'qcow2', ['8M'])
      await overlay(two, one, 'qcow2', ['8M'])

      await refused(diskAt(one, 'qcow2'), byPath('/k'), /more than 32 images build on each other/)
    })
  })

  test('in a qcow2 image of a kind that is not known is refused', async () => {
    const raw = place()
    await writeFileSystem(raw, { type: 'ext4', mib: 8, files: { k: SMALL_KERNEL } })
    const image = place('qcow2')
    await call('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, image])
    const original = await readFile(image)
    const cases: ReadonlyArray<readonly [number, number, RegExp]> = [
      [3, 0, /no qcow2 image/],
      [7, 9, /version 9/],
      [23, 30, /clusters of 2\^30/],
      [35, 2, /is encrypted/],
      [36, 255, /first-level entries/],
      [24, 255, /beyond all measure/],
      [79, 2, /marked as corrupt/],
      [79, 4, /its data in another file/],
      [79, 8, /compressed otherwise/],
      [79, 16, /subclusters/],
      [72, 1, /features that are not known/],
    ]
    for (const [at, value, reason] of cases) {
      const changed = Buffer.from(original)
      changed[at] = value
      await writeFile(image, changed)
      await refused(diskAt(image, 'qcow2'), byPath('/k'), reason)
    }
  })

  describe('that a menu of GRUB names', () => {
    const boot: BootConfig = { kind: 'guest-grub', cmdline: '' }

    test('is found where /boot is a partition of its own', { timeout: TEST_MS }, async () => {
      const raw = place()
      const menu = "set root='hd0,msdos1'\nmenuentry a {\nlinux /k root=/dev/vda2 'two words'\ninitrd /i /j\n}\n"
      const files = { 'grub2/grub.cfg': menu, k: SMALL_KERNEL, i: 'one ', j: 'two' }
      await writeDisk(raw, 'dos', [
        { type: 'ext2', mib: 8, files },
        { type: 'ext4', mib: 8, files: { k: 'not this' } },
      ])

      const expected = { kernel: SMALL_KERNEL, initrd: Buffer.from('one two'), cmdline: 'root=/dev/vda2 "two words"' }
      assert.deepEqual(await taken(diskAt(raw), boot), expected)
    })

    test('of the old kind is found too', { timeout: TEST_MS }, async () => {
      const raw = place()
      const menu =
        'default 1\ntitle a\nkernel /none\ntitle b\nroot (hd0,1)\nkernel /boot/k --no-mem-option ro x=y\ninitrd /i\n'
      await writeDisk(raw, 'dos', [
        { type: 'ext2', mib: 4, files: { 'boot/grub/menu.lst': menu } },
        { type: 'ext2', mib: 8, files: { 'boot/k': SMALL_KERNEL, i: INITRD } },
      ])

      assert.deepEqual(await taken(diskAt(raw), boot), { kernel: SMALL_KERNEL, initrd: INITRD, cmdline: 'ro x=y' })
    })

    test('and that is not there is refused, as is a disk without a menu', { timeout: TEST_MS }, async () => {
      const [without, empty, missing] = [place(), place(), place()]
      const menu = 'menuentry a {\nlinux /nowhere\n}\n'
      await writeFileSystem(without, { type: 'ext4', mib: 8 })
      await writeFile(empty, '')
      await writeFileSystem(missing, { type: 'ext4', mib: 8, files: { 'boot/grub/grub.cfg': menu } })

      await refused(diskAt(without), boot, /no menu of GRUB \(hd0 ext\)/)
      await refused(diskAt(empty), boot, /no menu of GRUB \(hd0 unknown\)/)
      await refused(diskAt(missing), boot, /no file \/nowhere, which GRUB's menu names/)
    })
  })

  describe('with anything else changed on the disk', () => {
    const files: Files = {
      'boot/grub/grub.cfg': 'search -s root -f /boot/k\nmenuentry a {\nlinux /boot/k ro\ninitrd /boot/link\n}\n',
      'boot/k': SMALL_KERNEL,
      'boot/i': INITRD,
      'boot/link': { linkTo: 'i' },
    }
    const { link: _link, ...plain } = { link: files['boot/link'], ...files, 'boot/link': INITRD }
    const kinds: ReadonlyArray<readonly [string, ImageFormat, (path: string) => Promise<void>]> = [
      ['ext4', 'raw', path => writeFileSystem(path, { type: 'ext4', mib: 2, files })],
      ['ext2', 'raw', path => writeFileSystem(path, { type: 'ext2', mib: 1, options: ['-b', '1024'], files })],
      ['FAT', 'raw', path => writeFileSystem(path, { type: 'vfat', mib: 2, files: plain })],
      ['partitions', 'raw', path => writeDisk(path, 'dos', [{ type: 'ext4', mib: 2, files }])],
      ['GPT', 'raw', path => writeDisk(path, 'gpt', [{ type: 'ext4', mib: 2, files }])],
      [
        'qcow2',
        'qcow2',
        async path => {
          await writeFileSystem(`${path}.raw`, { type: 'ext4', mib: 2, files })
          await call('qemu-img', ['convert', '-c', '-O', 'qcow2', '-o', 'cluster_size=4k', `${path}.raw`, path])
        },
      ],
    ]
    for (const [name, format, make] of kinds) {
      test(`is taken or refused, and nothing else: ${name}`, { timeout: TEST_MS }, async () => {
        const path = place(format)
        await make(path)
        const original = await readFile(path)
        // What is zero and stays so is of no use to anybody.
        const used = Array.from(original.entries()).flatMap(([at, byte]) => (byte === 0 ? [] : [at, at + 1]))
        const near = fc.nat(used.length - 1).map(index => used[index] ?? 0)
        const change = fc.record({ at: near, bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) })
        const file = await open(path, 'r+')
        const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async changes => {
          for (const { at, bytes } of changes) await file.write(bytes, 0, bytes.length, at)
          try {
            const boot: BootConfig = { kind: 'guest-grub', cmdline: '' }
            const result = await takeFromGuest({ boot, disks: [diskAt(path, format)] }, join(folder, 'out'))
            await result?.discard()
          } catch (error) {
            assert(error instanceof DriverError && error.kind === 'refused', String(error))
          } finally {
            for (const { at, bytes } of changes) {
              await file.write(original, at, Math.min(bytes.length, original.length - at), at)
            }
            await file.truncate(original.length)
          }
          assert.deepEqual(await readdir(join(folder, 'out')), [])
        })
        try {
          await fc.assert(property, { numRuns: 200 })
        } finally {
          await file.close()
        }
      })
    }
  })
})
