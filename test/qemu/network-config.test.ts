import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DriverError } from '../../src/drivers/driver.ts'
import { addressesOf } from '../../src/drivers/qemu/networks/addresses.ts'
import { readNetworks, writeNetworks } from '../../src/drivers/qemu/networks/network-file.ts'
import { atEnd } from '../support/at-end.ts'

describe('the file of networks', () => {
  it('is refused where it cannot be read, and left as it is', async context => {
    const folder = await mkdtemp('/tmp/pv-')
    atEnd(context, () => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'networks.json')
    const [network] = [{ id: 'n', name: 'lab', nic: 'eth0', vlan: 5, gateway: '', netmask: '' }]
    await writeNetworks(path, [network])
    assert.deepEqual(await readNetworks(path), [network])

    for (const text of ['', '{}', '{"format":2,"networks":[]}', '{"format":1,"networks":[{}]}']) {
      await writeFile(path, text)
      await assert.rejects(readNetworks(path), { kind: 'refused' })
      assert.equal(await readFile(path, 'utf8'), text)
    }
  })
})

describe('the addresses of a network', () => {
  const accepted = [
    ['', '', '10.0.2.0/24', '10.0.2.2', '10.0.2.3', '10.0.2.15'],
    ['192.168.1.1', '255.255.255.0', '192.168.1.0/24', '192.168.1.1', '192.168.1.3', '192.168.1.15'],
    ['192.168.1.3', '255.255.255.0', '192.168.1.0/24', '192.168.1.3', '192.168.1.2', '192.168.1.15'],
    // The leases keep clear of a gateway in their midst.
    ['192.168.1.20', '255.255.255.0', '192.168.1.0/24', '192.168.1.20', '192.168.1.3', '192.168.1.21'],
    ['10.1.2.254', '255.0.0.0', '10.0.0.0/8', '10.1.2.254', '10.0.0.3', '10.0.0.15'],
    ['10.0.0.62', '255.255.255.224', '10.0.0.32/27', '10.0.0.62', '10.0.0.35', '10.0.0.36'],
  ] as const
  for (const [gateway, netmask, net, host, dns, first] of accepted) {
    it(`are ${net} from ${first} for the gateway ${gateway || 'that nobody named'} and ${netmask || 'no netmask'}`, () => {
      assert.deepEqual(addressesOf({ gateway, netmask }), { net, gateway: host, dns, first })
    })
  }

  const refused = [
    ['10.0.0.1', ''],
    ['', '255.255.255.0'],
    ['10.0.0', '255.255.255.0'],
    ['10.0.0.256', '255.255.255.0'],
    ['10.0.0.01', '255.255.255.0'],
    ['10.0.0.1,restrict=off', '255.255.255.0'],
    ['fe80::1', '255.255.255.0'],
    ['10.0.0.0', '255.255.255.0'],
    ['10.0.0.255', '255.255.255.0'],
    ['127.0.0.1', '255.0.0.0'],
    ['0.1.0.1', '255.0.0.0'],
    ['224.0.0.1', '255.255.255.0'],
    ['10.0.0.1', '255.0.255.0'],
    ['10.0.0.1', '254.0.0.0'],
    ['10.0.0.1', '255.255.255.240'],
    // On either side of it fewer than sixteen are left.
    ['10.0.0.16', '255.255.255.224'],
  ] as const
  for (const [gateway, netmask] of refused) {
    it(`refuse the gateway '${gateway}' with the netmask '${netmask}'`, () => {
      assert.throws(
        () => addressesOf({ gateway, netmask }),
        error => error instanceof DriverError && error.kind === 'refused',
      )
    })
  }
})
