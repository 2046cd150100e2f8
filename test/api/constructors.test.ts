import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldsOf, wire } from '../draft/operations.ts'
import { CHOSEN_ONCE } from '../draft/extensions.ts'
import { type DraftField, ENUMS, FIELDS } from '../draft/table.ts'
import { show, type Value } from '../support/value.ts'
import { wrongArguments } from './arguments.ts'
import { accessor } from './samples.ts'
import { changesNothing, MADE_BY_CLIENTS, make, makeObjects, NOBODY, startWorld } from './world.ts'

const { root } = await startWorld()
const objects = await makeObjects(root)
let count = 0

/** What a field is chosen to be in these tests, where any value of its type will not do. */
const PARTICULAR: Readonly<Record<string, Value>> = {
  'VM.memory/static_max': '67108864',
  'VM.memory/static_min': '16777216',
  'VM.memory/dynamic_max': '50331648',
  'VM.memory/dynamic_min': '33554432',
  'VM.VCPUs/number': '3',
  'VM.boot_method': 'bios',
  'VIF.MAC': '02:00:00:00:00:0a',
  'VIF.MTU': '1400',
  'VDI.sector_size': '4096',
  'VDI.virtual_size': '16',
  'VDI.parent': '', // The memory host has no copy on write.
  'VDI.image_format': 'raw',
  'VDI.read_only': true,
  'VBD.mode': 'RO',
  'VBD.type': 'CD',
  'SR.type': 'memory',
  'VDI.SR': objects['SR'] ?? '',
}

/** A value for a field that is not its default. */
function chosen(of: string, [, path, type]: DraftField): Value {
  count += 1
  const particular = PARTICULAR[`${of}.${path}`]
  if (particular !== undefined) return particular
  const ref = /^(\w+) ref$/.exec(type)?.[1]
  if (ref !== undefined) return objects[ref] ?? ''
  if (path === 'device') return `disk-${count}` // No two disks of a VM have the same.
  if (type === '(cpu_feature) Set') return ['NX', 'LM']
  if (type.endsWith(' Set')) return []
  if (type.endsWith(' Map')) return { [`key-${count}`]: 'value' }
  return { string: `text-${count}`, int: String(count), bool: true }[type] ?? ENUMS[type]?.at(-1) ?? ''
}

const isChosen = (of: string, [qualifier, path]: DraftField) =>
  qualifier !== 'RO_run' || CHOSEN_ONCE.includes(`${of}.${path}`)
const chosenFields = (of: string) => fieldsOf(of).filter(field => isChosen(of, field))

/** What the host decides all the same once the object is there: the size of a repository. */
const DECIDED_BY_HOST = ['SR.physical_size']

async function assertFields(of: string, ref: string, values: readonly (readonly [DraftField, Value])[]): Promise<void> {
  for (const [[, path], value] of values) {
    if (DECIDED_BY_HOST.includes(`${of}.${path}`)) continue
    assert.deepEqual(await root.ok(accessor('get', of, path), ref), value, path)
  }
}

describe('a constructor takes a struct of all RW and RO_ins fields, in either spelling', () => {
  for (const of of MADE_BY_CLIENTS) {
    for (const [spelling, spell] of [
      ['the table’s', (path: string) => path],
      ['the wire’s', wire],
    ] as const) {
      test(`${of}, in ${spelling}`, async () => {
        const values = chosenFields(of).map(field => [field, chosen(of, field)] as const)

        const ref = await root.text(
          `${of}.create`,
          Object.fromEntries(values.map(([[, path], value]) => [spell(path), value])),
        )

        await assertFields(of, ref, values)
      })
    }
  }
})

describe('a constructor takes the values of all RW and RO_ins fields in the order of the draft’s table', () => {
  for (const of of MADE_BY_CLIENTS) {
    test(of, async () => {
      const fields = (FIELDS[of] ?? []).filter(([qualifier]) => qualifier !== 'RO_run')
      const values = fields.map(field => [field, chosen(of, field)] as const)

      const ref = await root.text(`${of}.create`, ...values.map(([, value]) => value))

      await assertFields(of, ref, values)
    })
  }
})

/** What a field is where nobody chose it, and the zero of its type will not do. Source: readings §4. */
const DEFAULTS: Readonly<Record<string, Value>> = {
  'VM.memory/static_max': String(256 * 1024 * 1024),
  'VM.VCPUs/number': '1',
  'VM.actions/after_reboot': 'restart',
  'VM.bios/boot': 'HD',
  'VIF.MTU': '1500',
  'VDI.sector_size': '512',
  'VDI.virtual_size': '2097152',
  'VBD.mode': 'RW',
  'VBD.type': 'Disk',
}

/** What the server chooses by itself. */
const CHOSEN_BY_SERVER = ['VM.affinity', 'VIF.MAC', 'VDI.SR', 'SR.location', 'SR.host']
/** Without which there is no object. */
const REQUIRED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  user: { short_name: 'somebody' },
  SR: { type: 'memory' },
}

describe('a field that nobody chose has its documented default, else the zero of its type', () => {
  for (const of of MADE_BY_CLIENTS) {
    test(of, async () => {
      const required = REQUIRED[of] ?? {}

      const ref = await root.text(`${of}.create`, required)

      const fields = chosenFields(of).filter(
        ([, path]) => !(path in required) && !CHOSEN_BY_SERVER.includes(`${of}.${path}`),
      )
      await assertFields(
        of,
        ref,
        fields.map(field => [field, DEFAULTS[`${of}.${field[1]}`] ?? zeroOf(field[2])]),
      )
    })
  }
})

function zeroOf(type: string): Value {
  if (type.endsWith(' Set')) return []
  if (type.endsWith(' Map')) return {}
  if (type === 'image_format') return 'qcow2' // What the memory host makes first of all.
  return { int: '0', bool: false }[type] ?? ENUMS[type]?.[0] ?? ''
}

describe('a constructor refuses a field that it does not know or does not take, and makes nothing', () => {
  for (const of of MADE_BY_CLIENTS) {
    test(of, async () => {
      const computed = fieldsOf(of).filter(field => !isChosen(of, field))

      await changesNothing(root, async () => {
        for (const [, path] of computed) {
          assert.deepEqual(await root.fails(`${of}.create`, { ...REQUIRED[of], [path]: 'x' }), [
            'FIELD_READ_ONLY',
            of,
            path,
          ])
        }
        for (const name of ['nonsense', 'name', '', 'toString', '__proto__', 'domain', 'administrator', 'NAME_LABEL']) {
          if (fieldsOf(of).some(([, path]) => path === name)) continue
          const record = Object.fromEntries([...Object.entries(REQUIRED[of] ?? {}), [name, 'x']])
          assert.deepEqual(await root.fails(`${of}.create`, record), ['FIELD_UNKNOWN', of, name])
        }
      })
    })
  }
})

describe('a constructor refuses a wrong value in any field, names the field, and makes nothing', () => {
  for (const of of MADE_BY_CLIENTS) {
    test(of, async () => {
      const cases = chosenFields(of).flatMap(([, path, type]) =>
        wrongArguments(type, wire(path), objects).map(({ value, error }) => ({ path, value, error })),
      )

      await changesNothing(root, async () => {
        for (const { path, value, error } of cases) {
          const got = await root.fails(`${of}.create`, { ...REQUIRED[of], [path]: value })
          assert.deepEqual(got, error, `${path} of ${show(value)}`)
        }
      })
    })
  }
})

test('VDI.children as a constructor’s argument is checked and not stored', async () => {
  const child = await make(root, 'VDI')

  const vdi = await root.text('VDI.create', { children: [child] })

  assert.deepEqual(await root.list('VDI.get_children', vdi), [])
  assert.equal(await root.text('VDI.get_parent', child), '')
  assert.deepEqual(await root.fails('VDI.create', { children: [NOBODY] }), ['HANDLE_INVALID', 'VDI', NOBODY])
})

test('a VIF made without a MAC address is given one that no other has and that no manufacturer gave', async () => {
  const [one, other] = [await make(root, 'VIF'), await make(root, 'VIF')]
  const [mac, otherMac] = [await root.text('VIF.get_MAC', one), await root.text('VIF.get_MAC', other)]

  assert.match(mac, /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)
  assert.notEqual(mac, otherMac)
})

// Proves: VBD.device
test('a VBD made without a device is given the first name that is free on its VM', async () => {
  const VM = await make(root, 'VM')
  const devices: string[] = []
  for (const driver of ['ioemu', 'ioemu', 'paravirtualised', 'ioemu']) {
    devices.push(await root.text('VBD.get_device', await make(root, 'VBD', { VM, driver })))
  }

  assert.deepEqual(devices, ['hda', 'hdb', 'xvda', 'hdc'])
})

/** Values of the right type that cannot be. */
const IMPOSSIBLE: readonly (readonly [of: string, record: Readonly<Record<string, Value>>, field: string])[] = [
  ['VM', { memory_static_max: '0' }, 'memory_static_max'],
  ['VM', { memory_static_max: '-1' }, 'memory_static_max'],
  ['VM', { memory_static_max: '9223372036854775807' }, 'memory_static_max'],
  ['VM', { memory_dynamic_min: '-1' }, 'memory_dynamic_min'],
  ['VM', { memory_static_max: '1048576', memory_static_min: '2097152' }, 'memory_static_max'],
  ['VM', { VCPUs_number: '0' }, 'VCPUs_number'],
  ['VM', { VCPUs_number: '100000' }, 'VCPUs_number'],
  ['VIF', { MAC: 'not a MAC' }, 'MAC'],
  ['VIF', { MAC: '01:00:5e:00:00:01' }, 'MAC'],
  ['VIF', { MTU: '67' }, 'MTU'],
  ['VIF', { MTU: '65536' }, 'MTU'],
  ['VBD', { device: '../hda' }, 'device'],
  ['VDI', { virtual_size: '-1' }, 'virtual_size'],
  ['VDI', { virtual_size: '9223372036854775807' }, 'virtual_size'],
  ['user', { short_name: '' }, 'short_name'],
  ['user', { short_name: 'two words' }, 'short_name'],
]

test('a value of the right type that cannot be is INVALID_VALUE with field and value, and nothing is made', async () => {
  await changesNothing(root, async () => {
    for (const [of, record, field] of IMPOSSIBLE) {
      const error = await root.fails(`${of}.create`, record)
      assert.deepEqual(error, ['INVALID_VALUE', field, record[field]], show(record))
    }
  })
})

test('a value that cannot be is refused by set_f too, and the field stays as it was', async () => {
  const setters = IMPOSSIBLE.filter(([of, record, field]) => {
    return (
      Object.keys(record).length === 1 &&
      fieldsOf(of).some(([qualifier, path]) => qualifier === 'RW' && wire(path) === field)
    )
  })

  await changesNothing(root, async () => {
    for (const [of, record, field] of setters) {
      const error = await root.fails(`${of}.set_${field}`, objects[of] ?? '', record[field] ?? '')
      assert.deepEqual(error, ['INVALID_VALUE', field, record[field]], show(record))
    }
  })
})
