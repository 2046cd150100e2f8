import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { LateEvents } from '../../src/libvirt/rpc/late-events.ts'
import { XdrError } from '../../src/wire/xdr/error.ts'

test('an event that the wire cannot tell ends its client, and not the server', async () => {
  let ends = 0
  const told: string[] = []
  const late = new LateEvents<string>(() => ends++)
  late.push('early')
  late.push('untellable')

  late.openAfterAnswer(event => {
    if (event === 'untellable') throw new XdrError('unwritable', 'a text holds a NUL')
    told.push(event)
  })
  await turn()
  late.push('untellable')
  late.push('later')

  assert.deepEqual([told, ends], [['early', 'later'], 2])
})
