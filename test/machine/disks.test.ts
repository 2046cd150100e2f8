import assert from 'node:assert/strict'
import { readdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeBootImage } from '../guests/boot-sector.ts'
import { writeFileSystem } from '../guests/disk.ts'
import { printed, until } from '../support/machine.ts'
import { type Guest, Lab, run, TEST_MS, type Values } from './lab.ts'

const MIB = 1_048_576
const STAT_BLOCK_BYTES = 512
const CLONE_MS_MAX = 1_000

describe('disks of guests, through XML-RPC alone', () => {
  let lab: Lab
  let sr: string
  let location: string
  let guest: Guest

  before(async () => {
    lab = await Lab.open()
    ;({ sr, location } = await lab.repository('images'))
    guest = await lab.boot(await lab.defineLinux())
  })
  after(() => lab.close())

  const disk = (mib: number, values: Values = {}) =>
    lab.create('VDI', { SR: sr, name_label: 'disk', virtual_size: String(mib * 2048), ...values })

  const plug = (vm: string, vdi: string, values: Values = {}) =>
    lab.create('VBD', { VM: vm, VDI: vdi, driver: 'paravirtualised', ...values })

  /** The VDI of an image that a test put into the repository by itself. */
  async function found(name: string): Promise<string> {
    await lab.session.ok('SR.scan', sr)
    for (const vdi of await lab.session.list('SR.get_VDIs', sr)) {
      if ((await lab.session.text('VDI.get_name_label', vdi)) === name) return vdi
    }
    return assert.fail(`no VDI ${name}`)
  }

  /** The file of an image; its name is the VDI's. */
  async function fileOf(vdi: string, folder = location): Promise<string> {
    const names = await readdir(folder)
    return join(folder, names.find(name => name.startsWith(`${vdi}.`)) ?? assert.fail(`no file of ${vdi}`))
  }

  const sees = (vm: Guest, name: string) => vm.shell.until('ls -1 /sys/block', new RegExp(`^${name}$`, 'm'))
  const seesNo = (vm: Guest, name: string) => vm.shell.until('ls -1 /sys/block', new RegExp(`^(?![^]*^${name}$)`, 'm'))
  const write = (vm: Guest, device: string, text: string) =>
    vm.shell.run(`echo ${text} | dd of=/dev/${device} bs=512 count=1 conv=sync,fsync 2>/dev/null`)
  const read = async (vm: Guest, device: string) =>
    vm.shell.run(`echo 3 >/proc/sys/vm/drop_caches; head -c 512 /dev/${device} | tr -d '\\0'`)
  /** Children first. */
  async function deleteAll(vdis: readonly string[]): Promise<void> {
    for (const vdi of vdis) {
      if (!(await lab.session.list('VDI.get_all')).includes(vdi)) continue
      await deleteAll(await lab.session.list('VDI.get_children', vdi))
      await lab.session.ok('VDI.delete', vdi)
    }
  }

  const halt = (vm: string) => lab.session.ok('VM.hard_shutdown', vm)

  // Proves: VM.clone, VDI.snapshot, VDI.parent, VDI.children, VDI.physical_utilisation, VDI.type
  it('of 10 GiB are copied in no time, for they share their blocks', { timeout: TEST_MS }, async () => {
    const vdi = await disk(10 * 1024, { type: 'user' })
    await run('qemu-io', '-f', 'qcow2', '-c', 'write -P 7 0 128M', await fileOf(vdi))
    await lab.session.ok('SR.scan', sr)
    const vm = await lab.create('VM', { name_label: 'original', memory_static_max: String(16 * MIB) })
    await plug(vm, vdi, { device: 'xvda' })
    const began = performance.now()
    await run('qemu-img', 'convert', '-O', 'qcow2', await fileOf(vdi), join(lab.folder, 'full.qcow2'))
    const fullMs = performance.now() - began
    await rm(join(lab.folder, 'full.qcow2'))

    const times: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      const start = performance.now()
      const copy = turn === 0 ? await lab.session.text('VDI.snapshot', vdi) : await cloned(vm)
      times.push(performance.now() - start)
      const bytes = await lab.number('VDI.get_physical_utilisation', copy)
      assert(bytes < 2 * MIB, `${bytes} bytes of its own`)
      assert.equal(await lab.session.text('VDI.get_virtual_size', copy), String(10 * 1024 * 2048))
      assert.equal(await lab.session.text('VDI.get_parent', copy), vdi)
      assert.equal(await lab.session.text('VDI.get_type', copy), 'user')
      assert.match(
        await run('qemu-io', '-f', 'qcow2', '-r', '-c', 'read -P 7 100M 1M', await fileOf(copy)),
        /read 1048576/,
      )
    }

    assert.equal((await lab.session.list('VDI.get_children', vdi)).length, 3)
    const [best = 0] = times.toSorted((a, b) => a - b)
    assert(best < Math.max(CLONE_MS_MAX, fullMs / 2), `${times.map(Math.round).join()} ms, a full copy ${fullMs} ms`)
  })

  /** Clones a VM; answers its one disk. */
  async function cloned(vm: string): Promise<string> {
    const copy = await lab.session.text('VM.clone', vm, 'clone')
    const [vbd = ''] = await lab.session.list('VM.get_VBDs', copy)
    return lab.session.text('VBD.get_VDI', vbd)
  }

  // Proves: VDI.snapshot, VDI.parent
  it('are copied as they are at one moment while a guest writes to them', { timeout: TEST_MS }, async () => {
    const plain = join(lab.folder, 'ext4.raw')
    await writeFileSystem(plain, { type: 'ext4', mib: 64, files: { 'before.txt': 'written before' } })
    await run('qemu-img', 'convert', '-O', 'qcow2', plain, join(location, 'ext4.qcow2'))
    const vdi = await found('ext4')
    const vbd = await plug(guest.vm, vdi, { device: 'xvda' })
    await sees(guest, 'vda')
    await guest.shell.run('mount -t ext4 /dev/vda /mnt')
    const busy = 'dd if=/dev/urandom of=/mnt/f$((i % 9)) bs=64k count=8 conv=fsync; mkdir -p /mnt/d$i; i=$((i+1))'
    await guest.shell.run(`( i=0; while [ ! -e /tmp/stop ]; do ${busy}; done; echo over >/tmp/over ) >/dev/null 2>&1 &`)
    await guest.shell.until('ls /mnt', /d3\b/)

    const snapshots = [await lab.session.text('VDI.snapshot', vdi), await lab.session.text('VDI.snapshot', vdi)]

    await guest.shell.run('touch /tmp/stop')
    await guest.shell.until('cat /tmp/over || true', /^over/)
    await guest.shell.run('umount /mnt')
    await lab.session.ok('VBD.delete', vbd)
    await seesNo(guest, 'vda')
    for (const image of [...snapshots, vdi]) {
      const file = image === vdi ? join(location, 'ext4.qcow2') : await fileOf(image)
      await run('qemu-img', 'check', '-f', 'qcow2', file)
      const copy = join(lab.folder, 'checked.raw')
      await run('qemu-img', 'convert', '-O', 'raw', file, copy)
      // As a mount would do first: what the journal holds is written where it belongs.
      await run('e2fsck', '-E', 'journal_only', '-fy', copy).catch(() => '')
      await run('fsck.ext4', '-fn', copy)
      assert.equal(await run('debugfs', '-R', 'cat before.txt', copy), 'written before')
    }
  })

  // Proves: VBD.VM, VBD.VDI, VBD.device, VBD.driver, VBD.mode, VBD.type, VM.VBDs, VDI.VBDs
  it('are plugged into a guest that runs, written or only read, and pulled', { timeout: TEST_MS }, async () => {
    const [first, second] = [await disk(4), await disk(8)]
    const one = await plug(guest.vm, first, { device: 'xvda' })
    await sees(guest, 'vda')
    const two = await plug(guest.vm, second, { device: 'xvdb', mode: 'RO' })
    await sees(guest, 'vdb')
    assert.deepEqual(await lab.session.list('VM.get_VBDs', guest.vm), [one, two])
    assert.deepEqual(await lab.session.list('VDI.get_VBDs', first), [one])

    await write(guest, 'vda', 'mine')

    assert.equal(await read(guest, 'vda'), 'mine')
    assert.deepEqual(await guest.shell.run('cat /sys/block/vda/ro /sys/block/vdb/ro'), '0\n1')
    await assert.rejects(write(guest, 'vdb', 'never'))
    assert.equal(await guest.shell.run('cat /sys/block/vda/size /sys/block/vdb/size'), `${4 * 2048}\n${8 * 2048}`)
    assert.equal(await lab.session.ok('VBD.get_currently_attached', one), true)
    await lab.session.ok('VBD.delete', one)
    await seesNo(guest, 'vda')
    await lab.session.ok('VBD.set_VM', two, '')
    await seesNo(guest, 'vdb')
    await lab.session.ok('VBD.delete', two)
    for (const vdi of [first, second]) await lab.session.ok('VDI.delete', vdi)
  })

  // Proves: VBD.IO_bandwidth/incoming_kbs, VBD.IO_bandwidth/outgoing_kbs
  it('show how much goes to and fro', { timeout: TEST_MS }, async () => {
    const vdi = await disk(16)
    const vbd = await plug(guest.vm, vdi, { device: 'xvda' })
    await sees(guest, 'vda')
    const copying =
      'echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=64k count=8; dd if=/dev/zero of=/dev/vda bs=64k count=8 conv=fsync; sleep 0.1'
    await guest.shell.run(`( while [ ! -e /tmp/rest ]; do ${copying}; done ) >/dev/null 2>&1 &`)
    const rates = async () => [
      await lab.number('VBD.get_IO_bandwidth_incoming_kbs', vbd),
      await lab.number('VBD.get_IO_bandwidth_outgoing_kbs', vbd),
    ]

    await until('rates', async () => ((await rates()).every(rate => rate > 50) ? true : undefined))

    await guest.shell.run('touch /tmp/rest')
    await until('rest', async () => ((await rates()).every(rate => rate === 0) ? true : undefined))
    await lab.session.ok('VBD.delete', vbd)
    await lab.session.ok('VDI.delete', vdi)
  })

  // Proves: VDI.virtual_size, VDI.sector_size
  it('grow under the eyes of the guest, and between two of its looks', { timeout: TEST_MS }, async () => {
    const vdi = await disk(4)
    const vbd = await plug(guest.vm, vdi, { device: 'xvda' })
    await sees(guest, 'vda')

    await lab.session.ok('VDI.set_virtual_size', vdi, '16384')

    await guest.shell.until('cat /sys/block/vda/size', /^16384$/)
    await lab.session.ok('VBD.set_VM', vbd, '')
    await lab.session.ok('VDI.set_virtual_size', vdi, '20480')
    await lab.session.ok('VBD.set_VM', vbd, guest.vm)
    await sees(guest, 'vda')
    assert.equal(await guest.shell.run('cat /sys/block/vda/size'), '20480')
    await lab.session.ok('VBD.delete', vbd)
    assert.deepEqual((await lab.session.fails('VDI.set_virtual_size', vdi, '8192')).slice(0, 2), ['VDI_TOO_SMALL', vdi])
    assert.equal(await lab.session.text('VDI.get_sector_size', vdi), '512')
    await lab.session.ok('VDI.delete', vdi)
  })

  // Proves: VDI.sharable, VDI.read_only
  it('are one guest’s alone unless they are sharable, or only read', { timeout: TEST_MS }, async () => {
    const [alone, shared] = [await disk(4), await disk(4, { sharable: true, image_format: 'raw' })]
    const other = await lab.boot(await lab.defineLinux())
    const vbds = [await plug(guest.vm, alone, { device: 'xvda' }), await plug(guest.vm, shared, { device: 'xvdb' })]
    await sees(guest, 'vdb')
    assert.deepEqual(
      (await lab.session.fails('VBD.create', { VM: other.vm, VDI: alone, driver: 'paravirtualised' })).slice(0, 2),
      ['VDI_IN_USE', alone],
    )

    await plug(other.vm, shared, { device: 'xvda' })
    await sees(other, 'vda')
    await write(guest, 'vdb', 'from-one-to-the-other')

    assert.equal(await read(other, 'vda'), 'from-one-to-the-other')
    await write(other, 'vda', 'and-back')
    assert.equal(await read(guest, 'vdb'), 'and-back')
    await halt(other.vm)
    await lab.session.ok('VM.delete', other.vm)
    for (const vbd of vbds) await lab.session.ok('VBD.delete', vbd)
    await lab.session.ok('VDI.set_read_only', alone, true)
    assert.equal(
      (await lab.session.fails('VBD.create', { VM: guest.vm, VDI: alone, driver: 'paravirtualised' }))[0],
      'INVALID_VALUE',
    )
    await lab.session.ok('VBD.delete', await plug(guest.vm, alone, { mode: 'RO' }))
    for (const vdi of [alone, shared]) await lab.session.ok('VDI.delete', vdi)
  })

  /** Makes a CD that boots the small guest, with a file on it. Source: El Torito, without emulation. */
  async function writeCd(path: string, text: string): Promise<void> {
    const tree = join(lab.folder, `tree-${basename(path)}`)
    await run('mkdir', '-p', tree)
    await writeFile(join(tree, 'readme'), text)
    await writeBootImage(join(tree, 'boot.bin'))
    const boot = ['-b', 'boot.bin', '-no-emul-boot', '-boot-load-size', '1']
    await run('xorriso', '-as', 'mkisofs', '-quiet', '-o', path, ...boot, tree)
  }

  // Proves: SR.scan, VDI.read_only, VBD.insert, VBD.eject, VBD.type, VM.bios/boot, VM.bios/cdrom, VBD.device
  it('may be CDs: put into the repository and a drive, taken out, booted from', { timeout: TEST_MS }, async () => {
    await writeCd(join(location, 'first.iso'), 'first')
    await writeCd(join(location, 'second.iso'), 'second')
    const cds = [await found('first'), await found('second')]
    assert.equal(await lab.session.ok('VDI.get_read_only', cds[0] ?? ''), true)
    const vm = await lab.defineLinux({ name_label: 'with a drive' })
    const drive = await lab.create('VBD', { VM: vm, type: 'CD', device: 'hdc' })
    const other = await lab.boot(vm)
    const mount = 'mount -t iso9660 -o ro /dev/sr0 /mnt && cat /mnt/readme; umount /mnt'

    for (const [index, text] of ['first', 'second'].entries()) {
      await lab.session.ok('VBD.insert', drive, cds[index] ?? '')
      await other.shell.until(`${mount} || true`, new RegExp(text))
    }

    await lab.session.ok('VBD.eject', drive)
    await other.shell.until('dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2>&1 || true', /No medium/)
    await halt(vm)
    const small = { memory_static_max: String(16 * MIB), boot_method: 'bios', bios_boot: 'CDROM' }
    const fromDrive = await lab.create('VM', { ...small, name_label: 'from a drive' })
    await lab.create('VBD', { VM: fromDrive, VDI: cds[0] ?? '', type: 'CD' })
    const fromPath = await lab.create('VM', {
      ...small,
      name_label: 'from a path',
      bios_cdrom: join(location, 'second.iso'),
    })
    for (const each of [fromDrive, fromPath]) {
      await lab.session.ok('VM.start', each, false)
      await printed(lab.session, each, 'BOOT-OK')
      await halt(each)
    }
    for (const each of [vm, fromDrive, fromPath]) await lab.session.ok('VM.delete', each)
  })

  // Proves: VM.bios/boot, VBD.type, VM.boot_method
  it('may be hard disks and floppies to boot from', { timeout: TEST_MS }, async () => {
    await writeBootImage(join(location, 'floppy.img'))
    await run('truncate', '-s', '1440K', join(location, 'floppy.img'))
    await writeBootImage(join(location, 'hard.raw'))
    for (const [name, type, bios_boot] of [
      ['floppy', 'Floppy', 'floppy'],
      ['hard', 'Disk', 'HD'],
    ] as const) {
      const vm = await lab.create('VM', { memory_static_max: String(16 * MIB), boot_method: 'bios', bios_boot })
      await lab.create('VBD', { VM: vm, VDI: await found(name), type })

      await lab.session.ok('VM.start', vm, false)

      const output = await printed(lab.session, vm, 'DISKS ')
      assert.match(output, new RegExp(`BOOT-OK\nDISKS ${type === 'Disk' ? 1 : 0}`))
      await halt(vm)
      await lab.session.ok('VM.delete', vm)
    }
  })

  // Proves: VDI.SR, SR.VDIs, SR.clone, SR.location, SR.type
  it('move to another repository, and are copied with the whole of theirs', { timeout: TEST_MS }, async () => {
    const other = await lab.repository('other')
    const [base, plain] = [await disk(8), await disk(8, { image_format: 'raw' })]
    for (const vdi of [base, plain]) {
      await run('qemu-io', '-f', vdi === base ? 'qcow2' : 'raw', '-c', 'write -P 5 0 1M', await fileOf(vdi))
      await lab.session.ok('VDI.set_SR', vdi, other.sr)
    }
    assert.deepEqual((await readdir(other.location)).sort(), [`${base}.qcow2`, `${plain}.raw`].sort())
    const child = await lab.session.text('VDI.snapshot', base)

    const place = join(lab.folder, 'cloned')
    const copy = await lab.session.text('SR.clone', other.sr, place, 'a copy')

    assert.equal(await lab.session.text('SR.get_location', copy), place)
    assert.equal(await lab.session.text('SR.get_type', copy), 'dir')
    const copies = await lab.session.list('SR.get_VDIs', copy)
    assert.equal(copies.length, 3)
    for (const vdi of copies) {
      const file = await fileOf(vdi, place)
      const format = file.endsWith('raw') ? 'raw' : 'qcow2'
      assert.match(await run('qemu-io', '-f', format, '-r', '-c', 'read -P 5 0 1M', file), /read 1048576/)
    }
    const parents = await Promise.all(copies.map(vdi => lab.session.text('VDI.get_parent', vdi)))
    assert.equal(parents.filter(parent => copies.includes(parent)).length, 1)
    await deleteAll([...copies, child, base, plain])
    assert.deepEqual([await readdir(place), await readdir(other.location)], [[], []])
    for (const each of [copy, other.sr]) await lab.session.ok('SR.delete', each)
  })

  // Proves: SR.virtual_allocation, SR.physical_utilisation, SR.physical_size, VDI.physical_utilisation
  it('take the room that the API says they take', { timeout: TEST_MS }, async () => {
    const vdi = await disk(32)
    await run('qemu-io', '-f', 'qcow2', '-c', 'write -P 1 0 5M', await fileOf(vdi))
    await lab.session.ok('SR.scan', sr)

    const { blocks } = await stat(await fileOf(vdi))
    assert.equal(await lab.number('VDI.get_physical_utilisation', vdi), blocks * STAT_BLOCK_BYTES)
    const all = await lab.session.list('SR.get_VDIs', sr)
    const sizes = await Promise.all(all.map(ref => lab.number('VDI.get_virtual_size', ref)))
    const sum = sizes.reduce((total, sectors) => total + sectors * 512, 0)
    assert.equal(await lab.number('SR.get_virtual_allocation', sr), sum)
    const system = await statfs(location)
    assert.equal(await lab.number('SR.get_physical_size', sr), system.blocks * system.bsize)
    const files = await Promise.all((await readdir(location)).map(name => stat(join(location, name))))
    // As du(1) does, each file once, whatever names it has.
    const weights = new Map(files.map(file => [file.ino, file.blocks * STAT_BLOCK_BYTES]))
    const used = [...weights.values()].reduce((total, bytes) => total + bytes, 0)
    assert.equal(await lab.number('SR.get_physical_utilisation', sr), used)
  })

  it('leave nothing behind when they are deleted, hidden files included', { timeout: TEST_MS }, async () => {
    await halt(guest.vm)
    for (const vm of await lab.session.list('VM.get_all')) await lab.session.ok('VM.delete', vm)

    await deleteAll(await lab.session.list('SR.get_VDIs', sr))

    assert.deepEqual(await readdir(location), [])
    await lab.session.ok('SR.delete', sr)
  })
})
