import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeBootImage } from '../guests/boot-sector.ts'
import { writeDisk } from '../guests/disk.ts'
import { CMDLINE, CONSOLE, kernel, MEMORY_BYTES } from '../guests/linux.ts'
import { guestAgent, writeShellInitrd } from '../guests/linux-shell.ts'
import { printed, serialOutput, until } from '../support/machine.ts'
import { asString, asStruct } from '../support/value.ts'
import { type Guest, Lab, run, TEST_MS, type Values } from './lab.ts'

const MIB = 1_048_576
const DAY_S = 86_400
const TOKYO_S = 9 * 3_600
/** Two clocks are the same when they differ by no more: a busy machine is slow between two readings. */
const TOLERANCE_S = 120
const PCI_DEVICES = "grep -h '^PCI_[CI][LD]' /sys/bus/pci/devices/*/uevent"
const [STD_VGA, CIRRUS, AC97] = [/CLASS=30000\nPCI_ID=1234:1111/, /CLASS=30000\nPCI_ID=1013:00B8/, /PCI_ID=8086:2415/]
const SMALL = { memory_static_max: String(16 * MIB), boot_method: 'bios' }

describe('the hardware of guests, through XML-RPC alone', () => {
  let lab: Lab
  let rich: Guest
  let plain: Guest
  let sector: string

  before(async () => {
    lab = await Lab.open(async () => ({ wrapper: ['env', 'TZ=Asia/Tokyo'] }))
    const { sr, location } = await lab.repository('boot')
    await writeBootImage(join(location, 'sector.raw'), 'busy')
    await lab.session.ok('SR.scan', sr)
    sector = (await lab.session.list('SR.get_VDIs', sr))[0] ?? ''
    await lab.session.ok('VDI.set_sharable', sector, true)
    const wishes = {
      builder: 'linux',
      memory_static_max: String(256 * MIB),
      memory_static_min: String(128 * MIB),
      memory_dynamic_max: String(224 * MIB),
      memory_dynamic_min: String(128 * MIB),
      VCPUs_number: '2',
      VCPUs_policy: 'credit',
      VCPUs_params: 'affinity=0',
      VCPUs_features_required: ['XMM3'],
      VCPUs_features_force_on: ['CX16'],
      VCPUs_features_force_off: ['3DNOW', 'MWAIT'],
      platform_std_VGA: true,
      platform_enable_audio: true,
      platform_localtime: true,
    }
    const canUse = 'FPU TSC MSR PAE MCE CX8 APIC SEP MTRR PGE CMOV PAT CLFLSH MMX FXSR XMM XMM2 SYSCALL NX LM PSE'
    const few = {
      VCPUs_features_required: ['LAHF_LM'],
      VCPUs_features_can_use: canUse.split(' '),
      platform_clock_offset: true,
    }
    const vms = [await lab.defineLinux(wishes, ['rich=yes'], await guestAgent()), await lab.defineLinux(few)]
    ;[rich, plain] = await Promise.all([lab.boot(vms[0] ?? ''), lab.boot(vms[1] ?? '')])
  })
  after(() => lab.close())

  const flagsOf = async ({ shell }: Guest) =>
    (await shell.run("sed -n 's/^flags[^:]*: //p;T;q' /proc/cpuinfo")).split(' ')
  const clockOf = async ({ shell }: Guest) => Number(await shell.run('cat /sys/class/rtc/rtc0/since_epoch'))
  const isNear = (seconds: number, offset: number) => Math.abs(seconds - Date.now() / 1000 - offset) < TOLERANCE_S
  const halt = (vm: string) => lab.session.ok('VM.hard_shutdown', vm)

  /** A small guest that is always busy, started. */
  async function small(values: Values = {}): Promise<string> {
    const vm = await lab.create('VM', { ...SMALL, name_label: 'small', ...values })
    await lab.create('VBD', { VM: vm, VDI: sector, driver: 'paravirtualised' })
    await lab.session.ok('VM.start', vm, false)
    return vm
  }

  // Proves: VM.VCPUs/number, VM.VCPUs/features/required, VM.VCPUs/features/force_on, VM.VCPUs/features/force_off
  it('has as many CPUs as are wanted, with the features that are wanted', { timeout: TEST_MS }, async () => {
    const flags = await flagsOf(rich)

    assert.equal(await rich.shell.run('nproc'), '2')
    assert(flags.includes('pni') && flags.includes('cx16'), flags.join(' '))
    assert(!flags.includes('3dnow') && !flags.includes('monitor'), flags.join(' '))
  })

  // Proves: VM.VCPUs/features/can_use, VM.VCPUs/features/required
  it('has no features but those that the guest may use, where that is said', { timeout: TEST_MS }, async () => {
    const flags = await flagsOf(plain)

    assert.equal(await plain.shell.run('nproc'), '1')
    assert(flags.includes('sse2') && flags.includes('lahf_lm'), flags.join(' '))
    for (const other of ['pni', 'avx', 'aes', '3dnow', 'xsave']) assert(!flags.includes(other), other)
  })

  // Proves: VM.VCPUs/features/required
  it('is refused by a host that lacks a required feature', { timeout: TEST_MS }, async () => {
    const vm = await lab.create('VM', { ...SMALL, VCPUs_features_required: ['XMM', 'LONGRUN'] })

    const error = await lab.session.fails('VM.start', vm, false)

    assert.equal(error[0], 'VM_INCOMPATIBLE_WITH_THIS_HOST')
    assert.match(error.join(' '), /LONGRUN/)
    assert.equal(await lab.session.text('VM.get_power_state', vm), 'Halted')
  })

  // Proves: VM.memory/static_max, VM.memory/dynamic_max, VM.memory/dynamic_min, VM.memory/actual
  it('has the memory that the balloon leaves it, from its start and when that is changed', {
    timeout: TEST_MS,
  }, async () => {
    const actual = (mib: number) =>
      until(`${mib} MiB`, async () =>
        (await lab.number('VM.get_memory_actual', rich.vm)) === mib * MIB ? true : undefined,
      )
    const total = async () => Number(/\d+/.exec(await rich.shell.run('grep MemTotal /proc/meminfo'))?.[0]) / 1024
    await actual(224)
    const before = await total()
    assert(before < 224, `${before} MiB`)

    await lab.session.ok('VM.set_memory_dynamic_max', rich.vm, String(160 * MIB))

    await actual(160)
    assert(Math.abs(before - 64 - (await total())) < 1, `${await total()} after ${before} MiB`)
    await lab.session.ok('VM.set_memory_dynamic_max', rich.vm, String(256 * MIB))
    await actual(256)
    assert(Math.abs(before + 32 - (await total())) < 1, `${await total()} after ${before} MiB`)
  })

  // Proves: VM.memory/static_min, VM.memory/static_max
  it('is not started with less memory than it must have', { timeout: TEST_MS }, async () => {
    const much = String(2 ** 45)
    const vm = await lab.create('VM', { ...SMALL, memory_static_max: much, memory_static_min: much })
    await lab.create('VBD', { VM: vm, VDI: sector })

    assert.deepEqual((await lab.session.fails('VM.start', vm, false)).slice(0, 2), [
      'HOST_NOT_ENOUGH_FREE_MEMORY',
      much,
    ])
    const wrong = { ...SMALL, memory_static_min: String(32 * MIB) }
    assert.equal((await lab.session.fails('VM.create', wrong))[0], 'INVALID_VALUE')
  })

  /** On which CPUs of the host the threads of a VM may run, of those that may not run on all. */
  async function bound(vm: string): Promise<string[]> {
    const tasks = `/proc/${await lab.process(vm)}/task`
    const all = await Promise.all((await readdir(tasks)).map(task => readFile(`${tasks}/${task}/status`, 'utf8')))
    const lists = all.map(text => /^Cpus_allowed_list:\s*(.*)$/m.exec(text)?.[1] ?? '')
    return lists.filter(list => /^\d+$/.test(list)).sort()
  }

  // Proves: VM.VCPUs/policy, VM.VCPUs/params
  it('runs on the CPUs of the host that its parameters name', { timeout: TEST_MS }, async () => {
    assert.deepEqual(await bound(rich.vm), ['0', '0'])

    await lab.session.ok('VM.set_VCPUs_params', rich.vm, 'affinity=1')

    assert.deepEqual(await bound(rich.vm), ['1', '1'])
    await lab.session.ok('VM.set_VCPUs_params', rich.vm, '')
    assert.deepEqual(await bound(rich.vm), [])
    assert.equal((await lab.session.fails('VM.set_VCPUs_params', rich.vm, 'affinity=4000'))[0], 'DRIVER_FAILED')
    assert.equal((await lab.session.fails('VM.set_VCPUs_policy', rich.vm, 'fair'))[0], 'VALUE_NOT_SUPPORTED')
    assert.equal(await lab.session.text('VM.get_VCPUs_params', rich.vm), '')
  })

  // Proves: VM.VCPUs/utilisation, VM.VCPUs/params
  it('tells how busy its CPUs are, which a cap bounds', { timeout: TEST_MS }, async () => {
    const vm = await small()
    const load = async () => Number(asStruct(await lab.session.ok('VM.get_VCPUs_utilisation', vm))['0'] ?? 0)
    await until('load', async () => ((await load()) > 0.2 ? true : undefined))

    const answer = await lab.session.client.call('VM.set_VCPUs_params', lab.session.ref, vm, 'weight=512; cap=10')

    // Only where the server may make control groups can it promise this.
    if (answer.status === 'Failure') assert.deepEqual(answer.error.slice(0, 2), ['DRIVER_FAILED', 'qemu'])
    else await until('less load', async () => ((await load()) < 0.15 ? true : undefined))
    await halt(vm)
  })

  // Proves: VM.platform/std_VGA, VM.platform/enable_audio
  it('has the display adapter and the sound card that are wanted', { timeout: TEST_MS }, async () => {
    const [pci, other] = [await rich.shell.run(PCI_DEVICES), await plain.shell.run(PCI_DEVICES)]

    assert.match(pci, STD_VGA)
    assert.match(pci, AC97)
    assert.match(other, CIRRUS)
    assert.doesNotMatch(other, AC97)
  })

  // Proves: VM.tools_version, VM.kernel/kernel, VM.kernel/initrd, VM.kernel/args, VM.builder, VM.boot_method
  it('tells what the guest runs for the host’s sake, and boots a kernel of the host’s', {
    timeout: TEST_MS,
  }, async () => {
    const tools = await until('the agent', async () => {
      const versions = asStruct(await lab.session.ok('VM.get_tools_version', rich.vm))
      return 'qemu-guest-agent' in versions ? versions : undefined
    })

    assert.match(asString(tools['qemu-guest-agent']), /^\d+\.\d+/)
    assert.match(await rich.shell.run('cat /proc/cmdline'), /rich=yes/)
    assert.deepEqual(asStruct(await lab.session.ok('VM.get_tools_version', plain.vm)), {})
  })

  // Proves: VM.platform/localtime
  it('starts its clock at local time where that is wanted, else at UTC', { timeout: TEST_MS }, async () => {
    assert(isNear(await clockOf(rich), TOKYO_S))
    assert(isNear(await clockOf(plain), 0))
  })

  // Proves: VM.platform/clock_offset
  it('keeps what the guest sets its clock to, where that is wanted', { timeout: TEST_MS }, async () => {
    const { vm, shell } = plain
    await shell.run(`date -s @${Math.round(Date.now() / 1000 + 3 * DAY_S)} && hwclock -w -u`)
    const clock = join(lab.data, 'qemu', vm, 'clock.json')
    await until('it to be kept', () =>
      stat(clock)
        .then(() => true)
        .catch(() => undefined),
    )
    await lab.restart()
    await halt(vm)

    plain = await lab.boot(vm)

    assert(isNear(await clockOf(plain), 3 * DAY_S))
    await lab.session.ok('VM.set_platform_clock_offset', vm, false)
    await halt(vm)
    plain = await lab.boot(vm)
    assert(isNear(await clockOf(plain), 0))
    await halt(vm)
  })

  // Proves: VM.TPM/instance, VM.TPM/backend
  it('has a TPM where that is wanted and the host can emulate one', { timeout: TEST_MS }, async () => {
    const hasEmulator = await run('which', 'swtpm').then(
      () => true,
      () => false,
    )
    for (const wish of [{ TPM_instance: '1' }, { TPM_backend: '1' }]) {
      const vm = await lab.defineLinux(wish)
      if (!hasEmulator) {
        const error = await lab.session.fails('VM.start', vm, false)
        assert.deepEqual(error.slice(0, 2), ['DRIVER_FAILED', 'qemu'])
        assert.match(error[3] ?? '', /swtpm/)
        continue
      }
      const { shell } = await lab.boot(vm)
      await shell.until('cat /sys/class/tpm/tpm0/tpm_version_major || true', /^2$/)
      await halt(vm)
    }
    assert.doesNotMatch(await rich.shell.run('ls /sys/class/tpm || true'), /tpm0/)
  })

  // Proves: VM.PCI_bus
  it('has no device of the host that the host cannot give away', { timeout: TEST_MS }, async () => {
    const vm = await lab.create('VM', { ...SMALL, PCI_bus: 'ffff:1f:1f.7' })
    await lab.create('VBD', { VM: vm, VDI: sector })

    const error = await lab.session.fails('VM.start', vm, false)

    assert.deepEqual(error.slice(0, 3), ['DRIVER_FAILED', 'qemu', 'VM.start'])
    assert.match(error[3] ?? '', /ffff:1f:1f\.7/)
    assert.equal(await lab.session.text('VM.get_power_state', vm), 'Halted')
  })

  // Proves: VM.platform/serial
  it('has its serial port on a pseudo terminal, or none', { timeout: TEST_MS }, async () => {
    const onPty = await small({ platform_serial: 'pty' })
    await printed(lab.session, onPty, 'BOOT-OK')
    assert.match(await run('readlink', '-f', join(lab.data, 'qemu', onPty, 'serial.pty')), /^\/dev\/pts\/\d+/)
    const silent = await small({ platform_serial: 'none' })

    assert.doesNotMatch((await lab.commandLine(silent)).join(' '), /isa-serial/)
    await halt(onPty)
    await halt(silent)
    assert.equal(await serialOutput(lab.session, silent), '')
    const wrong = await lab.create('VM', { ...SMALL, platform_serial: 'COM9' })
    assert.equal((await lab.session.fails('VM.start', wrong, false))[0], 'VALUE_NOT_SUPPORTED')
  })

  // Proves: VM.boot_method, VM.grub/cmdline, VM.kernel/kernel, VM.kernel/initrd, VM.kernel/args, VM.builder
  it('boots a kernel of the guest’s own disk, by its path or the menu of GRUB', { timeout: TEST_MS }, async () => {
    const { sr, location } = await lab.repository('inside')
    const initrd = join(lab.folder, 'inside.cpio')
    await writeShellInitrd(initrd)
    const menu = `menuentry 'One' { linux /vmlinuz ${CONSOLE} quiet\n initrd /initrd.img\n }\n`
    const files = {
      vmlinuz: { copyOf: await kernel() },
      'initrd.img': { copyOf: initrd },
      'grub/grub.cfg': menu,
    }
    await writeDisk(join(location, 'inside.raw'), 'gpt', [{ type: 'ext4', mib: 64, files }])
    await lab.session.ok('SR.scan', sr)
    const [vdi = ''] = await lab.session.list('SR.get_VDIs', sr)
    const make = async (values: Values) => {
      const vm = await lab.create('VM', { memory_static_max: String(MEMORY_BYTES), ...values })
      await lab.create('VBD', { VM: vm, VDI: vdi, driver: 'paravirtualised' })
      return vm
    }
    const byPath = { kernel_kernel: '/vmlinuz', kernel_initrd: '/initrd.img', kernel_args: `${CONSOLE} from=inside` }
    for (const [values, cmdline] of [
      [{ boot_method: 'kernel_internal', ...byPath }, `${CONSOLE} from=inside`],
      [{ boot_method: 'grub', grub_cmdline: 'added=1' }, `${CONSOLE} quiet added=1`],
    ] as const) {
      const vm = await make(values)

      await lab.session.ok('VM.start', vm, false)

      await printed(lab.session, vm, `${CMDLINE} ${cmdline}`)
      await halt(vm)
    }
    const odd = await make({ boot_method: 'bios', builder: 'odd' })
    assert.deepEqual((await lab.session.fails('VM.start', odd, false)).slice(0, 3), [
      'VALUE_NOT_SUPPORTED',
      'builder',
      'odd',
    ])
  })
})
