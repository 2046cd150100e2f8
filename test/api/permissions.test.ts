import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { make, startWorld } from './world.ts'

const { client, root } = await startWorld()
await root.text('user.create', { short_name: 'guest-keeper' })
const [keeper = ''] = await root.list('user.get_by_short_name', 'guest-keeper')
await root.ok('user.change_password', keeper, 'a password')
const ordinary = await client.login('guest-keeper', 'a password')

describe('what gives guests the machine’s own devices is the administrators’', () => {
  test('a network’s NIC', async () => {
    const plain = await make(ordinary, 'network', { name_label: 'plain' })
    assert.equal((await ordinary.fails('network.set_NIC', plain, 'eth0'))[0], 'PERMISSION_DENIED')
    assert.equal((await ordinary.fails('network.create', { NIC: 'eth0' }))[0], 'PERMISSION_DENIED')

    await root.ok('network.set_NIC', plain, 'eth0')
    await ordinary.ok('network.set_NIC', plain, 'eth0')
    await ordinary.ok('network.set_NIC', plain, '')
  })

  test('a PCI device', async () => {
    assert.equal((await ordinary.fails('VM.create', { PCI_bus: '0000:03:00.0' }))[0], 'PERMISSION_DENIED')

    const vm = await make(root, 'VM', { PCI_bus: '0000:03:00.0' })

    await ordinary.ok('VM.set_is_a_template', vm, true)
  })
})

describe('what is on other machines is the administrators’', () => {
  test('a folder of a Windows host', async () => {
    const place = { type: 'memory', location: 'C:\\Windows' }

    assert.deepEqual(await ordinary.fails('SR.create', place), ['PERMISSION_DENIED', 'SR.create'])
    await root.ok('SR.create', place)
  })
})
