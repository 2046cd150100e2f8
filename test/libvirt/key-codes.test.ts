import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linuxKeys } from '../../src/libvirt/key-codes.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_KEYCODE_SET_ATSET1,
  VIR_KEYCODE_SET_ATSET2,
  VIR_KEYCODE_SET_ATSET3,
  VIR_KEYCODE_SET_LINUX,
  VIR_KEYCODE_SET_OSX,
  VIR_KEYCODE_SET_QNUM,
  VIR_KEYCODE_SET_USB,
  VIR_KEYCODE_SET_WIN32,
  VIR_KEYCODE_SET_XT,
  VIR_KEYCODE_SET_XT_KBD,
} from '../../src/libvirt/index.ts'

/** Escape, A, Enter, F12, right Ctrl, delete, left Windows: as each set has them. */
const LINUX = [1, 30, 28, 88, 97, 111, 125]
const SETS: readonly (readonly [set: number, codes: readonly number[]])[] = [
  [VIR_KEYCODE_SET_LINUX, LINUX],
  [VIR_KEYCODE_SET_XT, [0x01, 0x1e, 0x1c, 0x58, 0xe01d, 0xe053, 0xe05b]],
  [VIR_KEYCODE_SET_ATSET1, [0x01, 0x1e, 0x1c, 0x58, 0xe01d, 0xe053, 0xe05b]],
  [VIR_KEYCODE_SET_XT_KBD, [0x01, 0x1e, 0x1c, 0x58, 0x11d, 0x153, 0x15b]],
  [VIR_KEYCODE_SET_QNUM, [0x01, 0x1e, 0x1c, 0x58, 0x9d, 0xd3, 0xdb]],
  [VIR_KEYCODE_SET_USB, [0x29, 0x04, 0x28, 0x45, 0xe4, 0x4c, 0xe3]],
  [VIR_KEYCODE_SET_WIN32, [0x1b, 0x41, 0x0d, 0x7b, 0xa3, 0x2e, 0x5b]],
]

test('keys are understood in the codes of most sets', () => {
  for (const [set, codes] of SETS) assert.deepEqual(linuxKeys(set, codes), LINUX, `set ${set}`)
})

test('sets that are not understood are refused by their names, and keys that a set has not by their codes', () => {
  const unsupported = { VIR_KEYCODE_SET_ATSET2, VIR_KEYCODE_SET_ATSET3, VIR_KEYCODE_SET_OSX }
  for (const [name, set] of Object.entries(unsupported)) {
    assert.throws(() => linuxKeys(set, [1]), { code: VIR_ERR_ARGUMENT_UNSUPPORTED, message: new RegExp(name) })
  }
  assert.throws(() => linuxKeys(10, [1]), { code: VIR_ERR_INVALID_ARG, message: /less than 10, not 10/ })
  assert.throws(() => linuxKeys(VIR_KEYCODE_SET_USB, [4, 3_000]), { code: VIR_ERR_INVALID_ARG, message: /'3000'/ })
})

test('the keys of a set are different keys, but those that have two codes', () => {
  const codes = Array.from({ length: 0x200 }, (_, code) => [code, 0xe000 + code]).flat()
  const known = (set: number) => codes.flatMap(code => (isKey(set, code) ? linuxKeys(set, [code]) : []))

  for (const [set, twice] of [
    [VIR_KEYCODE_SET_ATSET1, []],
    [VIR_KEYCODE_SET_XT_KBD, []],
    [VIR_KEYCODE_SET_QNUM, [99]],
    [VIR_KEYCODE_SET_USB, [43]],
    [VIR_KEYCODE_SET_WIN32, [42, 29, 56]],
  ] as const) {
    const keys = known(set)
    const repeated = new Set(keys.filter((key, at) => keys.indexOf(key) !== at))
    assert.deepEqual(repeated, new Set(twice), `set ${set}`)
    assert(keys.length > 100, `set ${set} has ${keys.length} keys`)
  }
})

function isKey(set: number, code: number): boolean {
  try {
    linuxKeys(set, [code])
    return true
  } catch {
    return false
  }
}
