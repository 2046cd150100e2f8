import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FUNCTIONS } from '../../src/libvirt/functions.ts'
import { Connection, Domain, DomainSnapshot, Network, StoragePool, StorageVol } from '../../src/libvirt/index.ts'

const CLASSES = { Connection, Domain, DomainSnapshot, Network, StoragePool, StorageVol }
/** What connections and domains do for their own classes, and for TypeScript. */
const INTERNAL = new Set([
  'constructor',
  'read',
  'change',
  'now',
  'state',
  'config',
  'living',
  'demand',
  'asked',
  'alter',
  'amend',
  'active',
  'assertFit',
  'glimpse',
  'step',
  'stopListening',
])

/** The methods that objects of a class have, whichever of its ancestors has them. */
function methodsOf(prototype: object | null): string[] {
  if (prototype === null || prototype === Object.prototype) return []
  const own = Object.getOwnPropertyNames(prototype).filter(name => !INTERNAL.has(name))
  return [...own, ...methodsOf(Object.getPrototypeOf(prototype))]
}

test('every method of every class is a function of libvirt, and the table of functions names it', () => {
  const named = new Set<string>(Object.values(FUNCTIONS).map(({ method }) => method))
  const methods = Object.entries(CLASSES).flatMap(([name, { prototype }]) =>
    methodsOf(prototype).map(method => `${name}.${method}`),
  )

  assert.deepEqual(methods.filter(method => !named.has(method)).toSorted(), [])
  assert.equal(new Set(methods).size, methods.length)
  const free = [...named].filter(method => !method.includes('.')).toSorted()
  assert.deepEqual([methods.length + free.length, free], [named.size, ['connect', 'connectReadOnly']])
})

test('a method is called as its function is, without what it is a method of', () => {
  for (const [name, { method }] of Object.entries(FUNCTIONS)) {
    const called = method.split('.').at(-1)?.toLowerCase() ?? ''
    assert(name.toLowerCase().endsWith(called) || called.startsWith('connect'), `${name}: ${method}`)
  }
})
