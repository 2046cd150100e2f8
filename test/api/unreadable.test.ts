import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { Hosts } from '../../src/engine/hosts.ts'
import { Locks } from '../../src/engine/locks.ts'
import { host_, storedClasses, VM } from '../../src/model/index.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { until } from '../support/machine.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

test('a VM that could not be read is Unknown, and is read again until it can be', async () => {
  const driver = memoryDriver({ vms: 1, seed: 1 })
  const store = await openStore({ classes: storedClasses, log: memoryLog() })
  const hosts = new Hosts({ store, locks: new Locks(), log: quiet, owner: 'test', connect: async () => driver })
  try {
    await hosts.add('memory:///flaky')
    const [vm = ''] = store.all(VM)
    const state = () => store.get(VM, vm)?.power_state
    assert.equal(state(), 'Halted')

    driver.faults.cutLine()
    await hosts.observe(vm)
    assert.equal(state(), 'Unknown')
    driver.faults.restoreLine()

    await until('the VM to be read again', async () => (state() === 'Halted' ? true : undefined))
  } finally {
    await hosts.close()
    await store.close()
  }
})

test('a host is not live where another one answers at its URI after a start, nor at the starts after that', async () => {
  const store = await openStore({ classes: storedClasses, log: memoryLog() })
  const uri = 'memory:///lab'
  const hostsWith = (name: string) => {
    const connect = async () => memoryDriver({ name, vms: 1, seed: 1 })
    return new Hosts({ store, locks: new Locks(), log: quiet, owner: 'test', connect })
  }
  try {
    const first = hostsWith('first')
    const gone = await first.add(uri)
    await first.close()
    for (let starts = 0; starts < 2; starts++) {
      const later = hostsWith('second')
      await later.connectKnown()

      const [connected, another] = later.connected()
      assert.equal(another, undefined)
      assert.notEqual(connected?.host, gone)
      assert.equal(store.get(host_, gone)?.live, false)
      assert.equal(store.get(host_, connected?.host ?? '')?.live, true)
      await later.close()
    }
  } finally {
    await store.close()
  }
})
