import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { checkExclusive, checkFlags } from '../../src/libvirt/flag-check.ts'
import * as flags from '../../src/libvirt/flags/index.ts'
import { LibvirtError, VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG } from '../../src/libvirt/index.ts'

const BITS = Array.from({ length: 32 }, (_, bit) => 2 ** bit)

/** The number and the words with which flags are refused; undefined where they are not. */
function refusalOf(check: () => void): readonly [code: number, detail: string] | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    assert(error instanceof LibvirtError)
    return [error.code, error.detail]
  }
}

test('whatever flags are given: none is passed over, the unknown are told by number and the others by name', () => {
  const bits = fc.subarray(BITS)
  const sum = (some: readonly number[]) => some.reduce((all, bit) => all + bit, 0)

  fc.assert(
    fc.property(bits, bits, bits, (known, refused, given) => {
      const named = Object.fromEntries(refused.filter(bit => !known.includes(bit)).map(bit => [`VIR_TEST_${bit}`, bit]))
      const all = new Set([...known, ...Object.values(named)])
      const unknown = given.filter(bit => !all.has(bit))
      const names = Object.keys(named).filter(name => given.includes(named[name] ?? 0))

      const refusal = refusalOf(() => checkFlags('virTest', sum(given), { known: sum(known) | 0, refused: named }))

      if (unknown.length > 0) {
        const text = `unsupported flags (0x${sum(unknown).toString(16)}) in function virTest`
        assert.deepEqual(refusal, [VIR_ERR_INVALID_ARG, text])
      } else if (names.length > 0) {
        assert.equal(refusal?.[0], VIR_ERR_ARGUMENT_UNSUPPORTED)
        for (const name of names) assert(refusal?.[1].includes(name))
      } else {
        assert.equal(refusal, undefined)
      }
    }),
  )
})

test('what is no number of 32 bits is no flags', () => {
  for (const given of [-1, 0.5, Number.NaN, 2 ** 32]) {
    assert.equal(refusalOf(() => checkFlags('virTest', given, { known: 1 }))?.[0], VIR_ERR_INVALID_ARG)
  }
})

test('flags that exclude each other are told by their names', () => {
  const pairs = [
    ['VIR_ONE', 1],
    ['VIR_TWO', 2],
  ] as const

  assert.equal(
    refusalOf(() => checkExclusive('virTest', 2, pairs)),
    undefined,
  )
  const text = 'flags VIR_ONE and VIR_TWO in virTest are mutually exclusive'
  assert.deepEqual(
    refusalOf(() => checkExclusive('virTest', 3, pairs)),
    [VIR_ERR_INVALID_ARG, text],
  )
})

test('flags of one enumeration share no bit', () => {
  const families = [
    'VIR_DOMAIN_START_',
    'VIR_CONNECT_LIST_DOMAINS_',
    'VIR_DOMAIN_UNDEFINE_',
    'VIR_CONNECT_LIST_NETWORKS_',
  ]
  for (const family of [
    ...families,
    'VIR_DOMAIN_SNAPSHOT_CREATE_',
    'VIR_CONNECT_LIST_STORAGE_POOLS_',
    'VIR_STORAGE_VOL_RESIZE_',
  ]) {
    const values = Object.entries(flags).flatMap(([name, value]) => (name.startsWith(family) ? [value] : []))
    assert(values.length > 1, family)
    assert.equal(
      values.reduce((all, value) => all | value, 0),
      values.reduce((all, value) => all + value, 0),
      family,
    )
  }
})
