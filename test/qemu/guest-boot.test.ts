import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { DiskConfig, DomainConfig, ImageFormat } from '../../src/drivers/driver.ts'
import { type Files, writeDisk } from '../guests/disk.ts'
import { CMDLINE, CONSOLE, GREETING, kernel, MEMORY_BYTES } from '../guests/linux.ts'
import { writeShellInitrd } from '../guests/linux-shell.ts'
import { TEST_MS, World } from './world.ts'

const call = promisify(execFile)

const MENU = `
if [ -s $prefix/grubenv ]; then
  load_env
fi
set default="\${saved_entry}"
function linux_with_console {
  linux /vmlinuz root=/dev/vda2 ro $1 ${CONSOLE} \${quietness}
  initrd /initrd.img
}
set quietness=quiet
menuentry 'Other' { linux /nowhere }
submenu 'More' --id more {
  menuentry 'Wanted' --class gnu-linux --id wanted {
    search --no-floppy --fs-label --set=root BOOT
    linux_with_console
  }
}
`

describe('a domain that boots what is on its own disk', () => {
  let world: World
  beforeEach(async () => {
    world = await World.open()
  })
  afterEach(() => world.close())

  async function disk(format: ImageFormat): Promise<DiskConfig> {
    const raw = join(world.dataDir, 'guest.raw')
    const initrd = join(world.dataDir, 'initrd.cpio')
    await writeShellInitrd(initrd)
    const files: Files = {
      'vmlinuz-6': { copyOf: await kernel() },
      vmlinuz: { linkTo: 'vmlinuz-6' },
      'initrd.img': { copyOf: initrd },
      'grub/grub.cfg': MENU,
      'grub/grubenv': '# GRUB Environment Block\nsaved_entry=more>wanted\nnext_entry=Other\n#####\n',
    }
    await writeDisk(raw, 'gpt', [
      { type: 'ext4', mib: 64, options: ['-L', 'BOOT'], files },
      { type: 'ext4', mib: 8, files: { vmlinuz: { linkTo: 'boot/vmlinuz' } } },
    ])
    const location = join(world.dataDir, `guest.${format}`)
    if (format === 'qcow2') await call('qemu-img', ['convert', '-c', '-f', 'raw', '-O', 'qcow2', raw, location])
    return { id: 'boot', location, format, readOnly: false, device: 'hda', bus: 'paravirtualised' }
  }

  async function started(config: Pick<DomainConfig, 'boot' | 'disks'>): Promise<string> {
    const id = await world.define({ ...config, memoryBytes: MEMORY_BYTES })
    await world.driver.domains.start(id)
    await world.untilPrinted(id, GREETING)
    return id
  }

  // Proves: VM.boot_method, VM.grub/cmdline
  test('boots the default entry of its menu of GRUB, with arguments added', { timeout: TEST_MS }, async () => {
    const disks = [await disk('qcow2')]
    const id = await started({ boot: { kind: 'guest-grub', cmdline: 'added=1 last' }, disks })

    await world.untilPrinted(id, `${CMDLINE} root=/dev/vda2 ro ${CONSOLE} quiet added=1 last`)
    assert.deepEqual(
      (await readdir(world.files(id).folder)).filter(name => /kernel|initrd/.test(name)),
      [],
    )
  })

  // Proves: VM.boot_method, VM.kernel/kernel, VM.kernel/initrd, VM.kernel/args
  test('boots a kernel by its path, over a link from one partition to another', { timeout: TEST_MS }, async () => {
    const disks = [await disk('raw')]
    const cmdline = `${CONSOLE} quiet from=inside`
    const boot = { kind: 'guest-kernel', kernel: '/vmlinuz', initrd: '/boot/initrd.img', cmdline } as const
    const id = await started({ boot, disks })

    await world.untilPrinted(id, `${CMDLINE} ${cmdline}`)
    await world.driver.domains.reset(id)
    await world.until('it greets again', async () => (await world.serial(id)).split(GREETING).length === 3)
  })

  test('is refused where the kernel is missing, saying what there is, and leaves no file', {
    timeout: TEST_MS,
  }, async () => {
    const boot = { kind: 'guest-kernel', kernel: '/boot/none', initrd: null, cmdline: '' } as const
    const id = await world.define({ boot, disks: [await disk('raw')] })

    const reason = { kind: 'refused', message: /no file \/boot\/none \(hd0,gpt1 ext, hd0,gpt2 ext\)/ }
    await assert.rejects(world.driver.domains.start(id), reason)
    assert.equal(await world.state(id), 'halted')
    assert.deepEqual(await readdir(world.files(id).folder), ['domain.json'])
  })

  test('is refused without a disk', { timeout: TEST_MS }, async () => {
    const id = await world.define({ boot: { kind: 'guest-grub', cmdline: '' }, disks: [] })

    await assert.rejects(world.driver.domains.start(id), { kind: 'refused', message: /no disk to take a kernel from/ })
  })
})
