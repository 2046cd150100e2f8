import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type DiskConfig, DriverError } from '../../src/drivers/driver.ts'
import { idOfDevice } from '../../src/drivers/hyperv/device-ids.ts'
import type { Drive, Storage } from '../../src/drivers/hyperv/drive-back-end.ts'
import { deviceName, placeDisks, placeKey } from '../../src/drivers/hyperv/places.ts'

const CONTROLLERS = [
  { id: 'ide-1', bus: 'ide', number: 1 },
  { id: 'ide-0', bus: 'ide', number: 0 },
  { id: 'scsi', bus: 'scsi', number: 0 },
  { id: 'diskette', bus: 'floppy', number: 0 },
] as const
const NAMES = ['hda', 'hdb', 'hdc', 'hdd', 'sda', 'sdb', 'xvda', 'xvdc', 'vdz', 'fda', 'odd'] as const
const KINDS = ['disk', 'cdrom', 'floppy'] as const
const BUSES = ['emulated', 'paravirtualised'] as const

const disks: fc.Arbitrary<DiskConfig[]> = fc.array(
  fc.record({
    id: fc.uuid(),
    kind: fc.constantFrom(...KINDS),
    location: fc.constant(''),
    format: fc.constant('raw' as const),
    readOnly: fc.constant(false),
    device: fc.constantFrom(...NAMES),
    bus: fc.constantFrom(...BUSES),
  }),
  { maxLength: 6 },
)

const drives: fc.Arbitrary<Drive[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom('ide-0', 'ide-1', 'scsi'), fc.integer({ min: 0, max: 1 })), {
    selector: ([controller, slot]) => `${controller} ${slot}`,
    maxLength: 4,
  })
  .map(places =>
    places.map(([controller, slot]) => ({
      id: `${controller} ${slot}`,
      kind: 'disk',
      controller,
      slot,
      medium: undefined,
    })),
  )

test('disks get places of their own, those of their names on IDE, and none that somebody has', () => {
  const property = fc.property(disks, drives, fc.boolean(), (wanted, taken, isSecond) => {
    const controllers = CONTROLLERS.filter(({ bus }) => !isSecond || bus === 'scsi')
    const storage: Storage = { controllers, drives: taken }
    const others = taken.filter(({ controller }) => controllers.some(({ id }) => id === controller))
    let placed: ReturnType<typeof placeDisks>
    try {
      placed = placeDisks(wanted, storage, () => undefined, others)
    } catch (error) {
      assert(error instanceof DriverError && error.kind === 'refused')
      return
    }
    const keys = [...others, ...placed].map(placeKey)
    assert.equal(new Set(keys).size, keys.length)
    for (const { disk, controller, slot } of placed) {
      const bus = controllers.find(({ id }) => id === controller)?.bus
      const name = deviceName({ id: '', kind: disk.kind ?? 'disk', controller, slot, medium: undefined }, storage)
      assert.equal(bus === 'floppy', disk.kind === 'floppy')
      if (isSecond || disk.kind === 'floppy') continue
      if (disk.kind === 'cdrom' || disk.bus === 'emulated') assert.equal(bus, 'ide')
      if (bus === 'ide' && disk.device.startsWith('hd') && disk.bus === 'emulated') assert.equal(name, disk.device)
    }
  })
  fc.assert(property, { numRuns: 500 })
})

test('a disk that has a place keeps it where its definition lets it, whatever else comes and goes', () => {
  const storage: Storage = { controllers: CONTROLLERS, drives: [] }
  const bus = { emulated: { bus: 'emulated' }, fast: { bus: 'paravirtualised' } } as const
  const named = (device: string, change: Pick<DiskConfig, 'bus'>): DiskConfig => ({
    id: device,
    location: '',
    format: 'vhdx',
    readOnly: false,
    device,
    ...change,
  })
  const at = (controller: string, slot: number): Drive => ({
    id: 'its drive',
    kind: 'disk',
    controller,
    slot,
    medium: undefined,
  })
  for (const [disk, drive, place] of [
    [named('sdb', bus.fast), at('scsi', 7), 'scsi\\7'],
    [named('xvda', bus.fast), at('scsi', 7), 'scsi\\7'],
    [named('xvda', bus.fast), at('ide-0', 1), 'ide-0\\1'],
    [named('sdb', bus.fast), at('ide-0', 1), 'scsi\\2'],
    [named('sdb', bus.emulated), at('scsi', 7), 'ide-0\\0'],
    [named('sdb', bus.emulated), at('ide-1', 1), 'ide-1\\1'],
    [named('hdc', bus.emulated), at('ide-1', 1), 'ide-1\\0'],
  ] as const) {
    // Two of one letter come before, of which one would have had its place.
    const others = [named('vdb', bus.fast), named('odd', bus.fast)]
    const placed = placeDisks([...others, disk], storage, one => (one === disk ? drive : undefined), [])
    assert.equal(placeKey(placed.at(-1) ?? drive), place)
  }
})

test('the id of a device is a UUID that is made of its name, whatever the case', () => {
  const id = idOfDevice('Microsoft:43B3F39E-2B2A-4F97-8A36-82937A779EE1\\0\\L')
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(idOfDevice('microsoft:43b3f39e-2b2a-4f97-8a36-82937a779ee1\\0\\l'), id)
  assert.notEqual(idOfDevice('Microsoft:43B3F39E-2B2A-4F97-8A36-82937A779EE1\\1\\L'), id)
})
