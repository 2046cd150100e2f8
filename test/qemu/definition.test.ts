import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import { commandLine, imagesIn } from '../../src/drivers/qemu/command-line.ts'
import { assertDefinable, parse, serialise } from '../../src/drivers/qemu/definition.ts'
import { filesOf } from '../../src/drivers/qemu/layout.ts'

const path = fc.string({ unit: 'grapheme' }).map(name => `/${name.replaceAll('\0', '')}`)

const configs: fc.Arbitrary<DomainConfig> = fc.record({
  id: fc.uuid(),
  name: fc.string({ unit: 'grapheme' }),
  description: fc.string({ unit: 'binary' }),
  memoryBytes: fc.maxSafeNat(),
  vcpus: fc.integer({ min: 1, max: 255 }),
  boot: fc.oneof(
    fc.record({ kind: fc.constant('firmware' as const), device: fc.constantFrom('floppy', 'disk', 'cdrom') }),
    fc.record({ kind: fc.constant('kernel' as const), kernel: path, initrd: fc.option(path), cmdline: fc.string() }),
  ),
  disks: fc.array(
    fc.record({
      id: fc.uuid(),
      location: path,
      format: fc.constantFrom('raw', 'qcow2'),
      readOnly: fc.boolean(),
      device: fc.constantFrom('hda', 'xvdb', 'sdaa', '3'),
      bus: fc.constant('paravirtualised' as const),
    }),
    { maxLength: 5 },
  ),
})

const CONFIG: DomainConfig = {
  id: '00000000-0000-4000-8000-000000000001',
  name: 'a',
  description: '',
  memoryBytes: 1,
  vcpus: 1,
  boot: { kind: 'firmware', device: 'disk' },
  disks: [],
}

const argumentsOf = (config: DomainConfig): string[] =>
  commandLine(
    { config, machine: 'pc-i440fx-7.2' },
    { files: filesOf('/r', config.id), accelerator: 'tcg', isPaused: false },
  )

const valueOf = (args: readonly string[], option: string): string | undefined => args[args.indexOf(option) + 1]

test('a definition that is written and read again is the same', () => {
  fc.assert(
    fc.property(configs, config => {
      // What fast-check makes has no prototype, which is no part of a definition.
      const plain = structuredClone(config)
      assert.deepEqual(parse(serialise({ config, machine: 'pc' })), { config: plain, machine: 'pc' })
    }),
  )
})

test('a definition that is torn or changed is never read as another', () => {
  const text = serialise({ config: CONFIG, machine: 'pc' })
  const wrong = [
    text.slice(0, -10),
    '[]',
    text.replace('"format": 1', '"format": 2'),
    text.replace('firmware', 'magic'),
    text.replace('"vcpus": 1', '"vcpus": "1"'),
    text.replace('"disks": []', '"disks": {}'),
  ]

  for (const each of wrong) assert.throws(() => parse(each), /JSON|Json|Shape|no |none|known/, each)
})

test('what could not be kept or started is refused when it is defined', () => {
  const disk = { id: '', location: 'relative', format: 'raw', readOnly: false, device: 'hda', bus: 'emulated' } as const
  const wrong: Partial<DomainConfig>[] = [
    { id: '../../etc' },
    { id: CONFIG.id.replace('4', 'A') },
    { name: 'a\0b' },
    { memoryBytes: Number.NaN },
    { memoryBytes: -1 },
    { vcpus: 0 },
    { vcpus: 1.5 },
    { boot: { kind: 'kernel', kernel: 'vmlinuz', initrd: null, cmdline: '' } },
    { disks: [disk] },
  ]

  assertDefinable(CONFIG)
  for (const changes of wrong) {
    assert.throws(() => assertDefinable({ ...CONFIG, ...changes }), { name: 'DriverError', kind: 'refused' })
  }
})

test('the images in a command line are those of the definition, whatever their names', () => {
  fc.assert(
    fc.property(configs, config => {
      const images = imagesIn(argumentsOf(config))
      assert.deepEqual(images.toSorted(), config.disks.map(disk => disk.location).toSorted())
    }),
  )
})

test('memory is rounded up, and is never left to a default of QEMU', () => {
  const MIB = 1_048_576
  const memory = (memoryBytes: number) => valueOf(argumentsOf({ ...CONFIG, memoryBytes }), '-m')

  assert.deepEqual([0, 1, MIB, MIB + 1].map(memory), ['1M', '1M', '1M', '2M'])
})

test('disks are in the order of their devices, shorter names first', () => {
  const devices = ['sdaa', 'sdb', 'sdz', 'sda']
  const disks = devices.map(device => ({
    ...({
      id: device,
      location: `/${device}`,
      format: 'raw',
      readOnly: false,
      device,
      bus: 'paravirtualised',
    } as const),
  }))

  assert.deepEqual(imagesIn(argumentsOf({ ...CONFIG, disks })), ['/sda', '/sdb', '/sdz', '/sdaa'])
})
