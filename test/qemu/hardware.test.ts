import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { CpuConfig, DiskConfig, DomainConfig, DomainId, PlatformConfig } from '../../src/drivers/driver.ts'
import { assertPassable } from '../../src/drivers/qemu/passthrough.ts'
import { identify } from '../../src/drivers/qemu/process.ts'
import { writeBootImage } from '../guests/boot-sector.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'
import { atEnd } from '../support/at-end.ts'

const STARTER = fileURLToPath(new URL('./starter.ts', import.meta.url))

let world: World
let shell: GuestShell | undefined
beforeEach(async () => {
  world = await World.open()
})
afterEach(async () => {
  shell?.close()
  shell = undefined
  await world.close()
})

async function openShell(id: DomainId, isBooting = true): Promise<GuestShell> {
  shell?.close()
  const socket = world.files(id).serialSocket
  shell = await (isBooting ? GuestShell.openBooting(socket) : GuestShell.open(socket))
  return shell
}

async function linux(changes: Partial<DomainConfig>): Promise<{ id: DomainId; guest: GuestShell }> {
  const id = await world.define({ ...(await bootLinux(world.dataDir)), ...changes })
  await world.driver.domains.start(id)
  return { id, guest: await openShell(id) }
}

const PCI_DEVICES = "grep -h '^PCI_[CI][LD]' /sys/bus/pci/devices/*/uevent"

const cpu = (changes: Partial<CpuConfig>): CpuConfig => ({
  required: [],
  canUse: [],
  forceOn: [],
  forceOff: [],
  ...changes,
})

const flagsIn = async (guest: GuestShell): Promise<string[]> =>
  (await guest.run("sed -n 's/^flags[^:]*: //p;T;q' /proc/cpuinfo")).split(' ')

// Proves: VM.VCPUs/features/force_off, VM.VCPUs/features/force_on, VM.VCPUs/features/required, VM.VCPUs/number
test('a guest sees the CPU features that are required and forced on, not those forced off', {
  timeout: TEST_MS,
}, async () => {
  const features = cpu({ required: ['XMM3'], forceOn: ['CX16'], forceOff: ['3DNOW', 'MONITOR', 'MWAIT'] })
  const { guest } = await linux({ vcpus: 2, cpu: features })

  const flags = await flagsIn(guest)
  assert(flags.includes('pni') && flags.includes('cx16') && flags.includes('avx'), flags.join(' '))
  assert(!flags.includes('3dnow') && !flags.includes('monitor'), flags.join(' '))
  assert.equal(await guest.run('nproc'), '2')
})

// Proves: VM.VCPUs/features/can_use
test('a guest that may use some features sees no others of the host', { timeout: TEST_MS }, async () => {
  const canUse = 'FPU TSC MSR PAE MCE CX8 APIC SEP MTRR PGE CMOV PAT CLFLSH MMX FXSR XMM XMM2 SYSCALL NX LM PSE'
  const { guest } = await linux({ cpu: cpu({ canUse: canUse.split(' '), required: ['LAHF_LM'] }) })

  const flags = await flagsIn(guest)
  assert(flags.includes('sse2') && flags.includes('lahf_lm'), flags.join(' '))
  for (const other of ['pni', 'avx', 'aes', 'popcnt', '3dnow', 'svm', 'xsave']) assert(!flags.includes(other), other)
})

// Proves: VM.VCPUs/features/required
test('a host that cannot offer a required feature refuses to start, naming it', { timeout: TEST_MS }, async () => {
  for (const features of [
    { required: ['XMM', 'LONGRUN'] },
    { forceOn: ['LONGRUN'] },
    { required: ['LONGRUN', 'CID'] },
  ]) {
    const id = await world.define({ cpu: cpu(features) })

    await assert.rejects(world.driver.domains.start(id), { kind: 'refused', message: /CPU features LONGRUN(, CID)?$/ })
    assert.equal(await world.state(id), 'halted')
    assert.deepEqual(world.processes(), [])
  }
})

// Proves: VM.platform/std_VGA, VM.platform/enable_audio, VM.TPM/instance
test('a guest sees its display adapter, its sound card, its tablet, its source of random numbers and its TPM', {
  timeout: TEST_MS,
}, async () => {
  const { id, guest } = await linux({ platform: { vga: 'std', audio: true, rng: true, tablet: true, tpm: true } })

  const pci = await guest.run(PCI_DEVICES)
  assert.match(pci, /CLASS=30000\nPCI_ID=1234:1111/)
  assert.match(pci, /CLASS=40100\nPCI_ID=8086:2415/)
  assert.match(pci, /CLASS=C0300\nPCI_ID=8086:7020/)
  assert.match(pci, /PCI_ID=1AF4:1005/)
  await guest.run('test -e /sys/firmware/acpi/tables/TPM2')
  await guest.until('cat /sys/class/tpm/tpm0/tpm_version_major', /^2$/)
  const emulator = identify(Number(await readFile(world.files(id).tpmPid, 'utf8')))
  assert(emulator !== undefined)
  await world.reconnect()
  assert.deepEqual(identify(emulator.pid), emulator)
  const state = (await stat(world.files(id).tpmState)).ino

  await world.driver.domains.powerOff(id)
  await world.until('its emulator ends with it', () => identify(emulator.pid) === undefined)
  await world.driver.domains.start(id)
  assert.equal((await stat(world.files(id).tpmState)).ino, state)
  await world.driver.domains.powerOff(id)
  const { folder } = world.files(id)
  await world.driver.domains.undefine(id)
  assert(!existsSync(folder))
})

// Proves: VM.platform/std_VGA
test('a guest without such wishes has none of them, and one with the older adapter has that', {
  timeout: TEST_MS,
}, async () => {
  const plain = await linux({})
  assert.doesNotMatch(await plain.guest.run(PCI_DEVICES), /CLASS=30000|CLASS=40100/)
  await plain.guest.run('test ! -e /sys/firmware/acpi/tables/TPM2')

  const { guest } = await linux({ platform: { vga: 'cirrus' } })
  assert.match(await guest.run(PCI_DEVICES), /CLASS=30000\nPCI_ID=1013:00B8/)
})

// Proves: VM.suspend, VM.resume
test('a guest with much hardware, some of it plugged in, finds all of it again after it was suspended', {
  timeout: TEST_MS,
}, async () => {
  const { devices, suspension } = world.driver
  assert(devices !== undefined && suspension !== undefined)
  const platform: PlatformConfig = {
    vga: 'cirrus',
    audio: true,
    rng: true,
    tablet: true,
    tpm: true,
    keepClockOffset: true,
  }
  const { id, guest } = await linux({ platform, cpu: cpu({ forceOff: ['3DNOW'] }) })
  const location = join(world.dataDir, 'plugged.raw')
  await writeFile(location, Buffer.alloc(1_048_576, 'plugged '))
  const disk = { id: 'plugged', location, format: 'raw', readOnly: false, device: 'xvdb' } as const
  await devices.attachDisk(id, { ...disk, bus: 'paravirtualised' })
  await guest.until('ls /dev', /vda/)
  const before = await guest.run(PCI_DEVICES)
  guest.close()

  await suspension.suspend(id)
  await world.reconnect()
  await world.driver.suspension?.resume(id)

  const again = await openShell(id, false)
  assert.equal((await again.run(PCI_DEVICES)).trim(), before.trim())
  assert.equal(await again.run('head -c 7 /dev/vda'), 'plugged')
  await again.run('cat /sys/class/tpm/tpm0/tpm_version_major')
  assert.doesNotMatch(await again.run('dmesg'), /tpm.*(error|timed out)/i)
  await world.driver.devices?.detachDisk(id, 'plugged')
})

test('a start that fails after its TPM was started leaves no emulator', { timeout: TEST_MS }, async () => {
  const id = await world.define({ platform: { tpm: true }, vcpus: 10_000 })

  await assert.rejects(world.driver.domains.start(id), { kind: 'refused', message: /QEMU: / })

  assert(!existsSync(world.files(id).tpmPid))
  assert(existsSync(world.files(id).tpmState))
})

// Proves: VM.platform/serial
test('a serial port goes to a pseudo terminal and its log, or is not there', { timeout: TEST_MS }, async () => {
  const id = await world.define({ platform: { serial: 'pty' } })
  await world.driver.domains.start(id)
  await world.untilPrinted(id, 'TICK 0001')
  const { serialPty, serialSocket } = world.files(id)
  const terminal = await open(serialPty, 'r')
  const { buffer, bytesRead } = await terminal.read(Buffer.alloc(4))
  await terminal.close()
  assert(bytesRead > 0 && /[A-Z0-9\s]/.test(buffer.toString('latin1', 0, bytesRead)))
  assert(!existsSync(serialSocket))
  await world.driver.domains.powerOff(id)
  assert.equal(await readFile(serialPty).catch(() => 'gone'), 'gone')

  const silent = await world.define({ platform: { serial: 'none' } })
  await world.driver.domains.start(silent)
  assert(!existsSync(world.files(silent).serialSocket))
  await world.driver.domains.powerOff(silent)
  assert.equal(await world.serial(silent), '')
})

/** The guest's real-time clock, in seconds since 1970. */
const rtc = async (guest: GuestShell): Promise<number> => Number(await guest.run('cat /sys/class/rtc/rtc0/since_epoch'))
const now = (): number => Date.now() / 1000
/** Two clocks are the same when they differ by no more: a busy machine is slow between two readings. */
const TOLERANCE_S = 60

// Proves: VM.platform/clock_offset
test('what a guest sets its clock to counts at its next start too, where that is wanted', {
  timeout: TEST_MS,
}, async () => {
  const DAY_S = 86_400
  const { id, guest } = await linux({ platform: { keepClockOffset: true } })
  assert(Math.abs((await rtc(guest)) - now()) < TOLERANCE_S)

  for (const days of [3, 5]) {
    await (shell ?? guest).run(`date -s @${Math.round(now() + days * DAY_S)} && hwclock -w -u`)
    await world.until('it is kept', async () => {
      const text = await readFile(world.files(id).clock, 'utf8').catch(() => '{"next":0}')
      return Math.abs(Number(JSON.parse(text).next) - days * DAY_S) < TOLERANCE_S
    })
    await world.driver.domains.powerOff(id)
    await world.driver.domains.start(id)
    const again = await openShell(id)
    assert(Math.abs((await rtc(again)) - now() - days * DAY_S) < TOLERANCE_S, `${days} days`)
  }

  await world.driver.domains.define({ ...(await world.driver.domains.config(id)), platform: {} })
  await world.driver.domains.powerOff(id)
  await world.driver.domains.start(id)
  assert(Math.abs((await rtc(await openShell(id))) - now()) < TOLERANCE_S)
})

// Proves: VM.platform/localtime
test('the clock of a guest starts at local time where that is wanted', { timeout: TEST_MS }, async () => {
  const id = await world.define({ ...(await bootLinux(world.dataDir)), platform: { localTime: true } })
  await world.driver.close()
  const starter = spawn(process.execPath, [STARTER, world.dataDir, id], {
    stdio: 'ignore',
    env: { ...process.env, TZ: 'Asia/Tokyo' },
  })
  const exited = once(starter, 'exit')
  await world.until('QEMU is there', () => existsSync(world.files(id).serialSocket) || starter.exitCode !== null)
  starter.kill('SIGKILL')
  await exited
  await world.connect()

  const TOKYO_S = 9 * 3_600
  assert(Math.abs((await rtc(await openShell(id))) - now() - TOKYO_S) < TOLERANCE_S)
})

// Proves: VM.PCI_bus
test('a PCI device of the host is passed only where vfio has it in a group', async context => {
  const root = await mkdtemp('/tmp/pv-')
  atEnd(context, () => rm(root, { recursive: true, force: true }))
  const [sysfs, dev] = [join(root, 'sys'), join(root, 'dev')]
  const host = { sysfs, dev }
  const make = async (address: string, driver: string | null, group: string | null) => {
    const folder = join(sysfs, 'bus/pci/devices', address)
    await mkdir(folder, { recursive: true })
    if (driver !== null) await symlink(`../../drivers/${driver}`, join(folder, 'driver'))
    if (group !== null) await symlink(`../../groups/${group}`, join(folder, 'iommu_group'))
  }
  await make('0000:03:00.0', 'vfio-pci', '7')
  await make('0000:03:00.1', 'e1000e', '7')
  await make('0000:03:00.2', 'vfio-pci', null)
  await make('0000:03:00.3', 'vfio-pci', '8')
  await make('0000:03:00.4', null, '7')
  await mkdir(join(dev, 'vfio'), { recursive: true })
  await writeFile(join(dev, 'vfio/7'), '')

  assertPassable(['0000:03:00.0'], host)
  const wrong: readonly [string, RegExp][] = [
    ['0000:03:00.1', /bound to e1000e/],
    ['0000:03:00.2', /no IOMMU group/],
    ['0000:03:00.3', /no access to .*vfio\/8/],
    ['0000:03:00.4', /no driver/],
    ['0000:04:00.0', /not in this host/],
    ['../../x', /no address/],
  ]
  for (const [address, message] of wrong) {
    assert.throws(() => assertPassable([address], host), { name: 'DriverError', kind: 'refused', message })
  }
  const id = await world.define({ platform: { pciDevices: ['ffff:1f:1f.7'] } })
  await assert.rejects(world.driver.domains.start(id), { kind: 'refused', message: /ffff:1f:1f.7.* not in this host/ })
})

// Proves: VM.bios/boot
test('a guest boots from the device it is told to, whatever else is there', { timeout: TEST_MS }, async () => {
  const EMPTY = Buffer.alloc(1_048_576)
  const bootable = join(world.dataDir, 'bootable.raw')
  await writeBootImage(bootable)
  const blank = join(world.dataDir, 'blank.raw')
  await writeFile(blank, EMPTY)
  const disk = (device: string, location: string, changes: Partial<DiskConfig> = {}): DiskConfig => ({
    ...({ id: device, location, format: 'raw', readOnly: false, device, bus: 'paravirtualised' } as const),
    ...changes,
  })
  const id = await world.define({
    boot: { kind: 'firmware', device: 'floppy' },
    disks: [disk('xvda', blank), disk('fda', bootable, { kind: 'floppy' })],
  })
  await world.driver.domains.start(id)

  await world.untilPrinted(id, 'BOOT-OK\nDISKS 1\n')
})

// Proves: VDI.sharable
test('two guests write to one disk where both share it, and not where one does not', { timeout: TEST_MS }, async () => {
  const location = join(world.dataDir, 'shared.raw')
  await writeFile(location, Buffer.alloc(1_048_576))
  const shared = (isShared: boolean): DiskConfig => ({
    ...({ id: 'shared', location, format: 'raw', readOnly: false, device: 'xvdb', bus: 'paravirtualised' } as const),
    shared: isShared,
  })
  const boot = await bootLinux(world.dataDir)
  const [one, two, alone] = [true, true, false].map(isShared => ({ ...boot, disks: [shared(isShared)] }))
  const first = await linux(one ?? {})
  await first.guest.until('ls /dev', /vda/)
  await first.guest.run('echo hello | dd of=/dev/vda conv=fsync')
  const second = await linux(two ?? {})

  await second.guest.until('ls /dev', /vda/)
  assert.equal(await second.guest.run('head -c 5 /dev/vda'), 'hello')
  const third = await world.define(alone ?? {})
  await assert.rejects(world.driver.domains.start(third), { kind: 'refused', message: /lock/ })
})

test('what a platform says is kept as it was said', async () => {
  const platform: PlatformConfig = { vga: 'std', serial: 'none', localTime: false, pciDevices: [] }
  const id = await world.define({ platform })
  await world.reconnect()

  assert.deepEqual((await world.driver.domains.config(id)).platform, platform)
})
