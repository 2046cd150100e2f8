import assert from 'node:assert/strict'
import type { Class } from '../../src/model/kernel/define.ts'
import type { Store } from '../../src/store/store.ts'
import { classes, Console, Group, Node, Port } from './classes.ts'

/** Everything a store holds, in order, for comparing. */
export const dump = (store: Pick<Store, 'all' | 'get'>, of: readonly Class[] = classes) =>
  of.map(type => [type.name, store.all(type).map(ref => [ref, store.get(type, ref)])])

/** Fails unless both ends of every bound pair agree and every reference names an object. */
export function assertBoundFieldsAgree(store: Store): void {
  for (const ref of store.all(Port)) {
    const owner = store.get(Port, ref)?.node ?? ''
    if (owner !== '') assert.ok(store.get(Node, owner)?.ports.includes(ref), `port ${ref} and node ${owner}`)
  }
  for (const ref of store.all(Group)) {
    for (const member of store.get(Group, ref)?.nodes ?? []) {
      assert.ok(store.get(Node, member)?.groups.includes(ref), `group ${ref} and node ${member}`)
    }
  }
  for (const ref of store.all(Console)) {
    const owner = store.get(Console, ref)?.node ?? ''
    if (owner !== '') assert.equal(store.get(Node, owner)?.console, ref)
  }
  for (const ref of store.all(Node)) assertNodeAgrees(store, ref)
}

function assertNodeAgrees(store: Store, ref: string): void {
  const record = store.get(Node, ref)
  assert.ok(record)
  for (const port of record.ports) assert.equal(store.get(Port, port)?.node, ref)
  for (const group of record.groups) assert.ok(store.get(Group, group)?.nodes.includes(ref))
  for (const friend of record.friends) assert.ok(store.get(Node, friend)?.friends.includes(ref))
  for (const child of record.children) assert.equal(store.get(Node, child)?.parent, ref)
  if (record.console !== '') assert.equal(store.get(Console, record.console)?.node, ref)
  if (record.spouse !== '') assert.equal(store.get(Node, record.spouse)?.spouse, ref)
  if (record.parent !== '') assert.ok(store.get(Node, record.parent)?.children.includes(ref))
  const sets: readonly (readonly string[])[] = [record.ports, record.groups, record.friends, record.children]
  for (const set of sets) {
    assert.equal(new Set(set).size, set.length, 'a set holds no duplicates')
  }
}
