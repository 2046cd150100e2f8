import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { network, nic, run, withDevices } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

/** Longer than Linux lets the name of a device be, so that no host has it. */
const NO_DEVICE = 'no-such-ethernet-device'

export function describeNetworks(stage: Stage): void {
  describe('networks', () => {
    describeDefinitions(stage)
    describeRefusals(stage)
    describeUse(stage)
    describeLeases(stage)
  })
}

function describeLeases(stage: Stage): void {
  stage.it('tells who was given which address, as long as it is there, of networks that there are', async () => {
    const { networks, driver } = stage
    if (networks.leases === undefined) return
    const [lan, other] = [network(), network()]
    for (const each of [lan, other]) await networks.define(each)
    await rejectsWith('not-found', networks.leases(NOBODY))
    assert.deepEqual(await networks.leases(lan.id), [])
    const interfaces = nic(lan.id)
    const id = await run(stage, withDevices(stage, { nics: [interfaces] }))

    for (const lease of await networks.leases(lan.id)) {
      assert.equal(lease.mac, interfaces.mac)
      assert.match(lease.address, /^\d+(\.\d+){3}$/)
      assert(lease.prefix > 0 && lease.prefix < 32 && (lease.expiresAtMs ?? Infinity) > Date.now())
    }
    assert.deepEqual(await networks.leases(other.id), [])
    await driver.domains.powerOff(id)
    await networks.undefine(lan.id)
    await rejectsWith('not-found', networks.leases(lan.id))
  })
}

async function ours(stage: Stage, ...ids: readonly string[]) {
  return (await stage.networks.list()).filter(({ id }) => ids.includes(id))
}

/** What a network of this name is called next. */
const anotherName = ({ traits }: Stage, name: string): string => (traits.renamesNoNetworks === true ? name : 'renamed')

function describeDefinitions(stage: Stage): void {
  stage.it('lists networks that were defined, as they were given, and forgets them', async () => {
    const first = network({ name: 'Größe "1"', gateway: '10.9.0.1', netmask: '255.255.255.0' })
    const second = network({ vlan: 4094 })
    await stage.networks.define(first)
    await stage.networks.define(second)
    assert.deepEqual(await ours(stage, first.id, second.id), [first, second])
    const titles = (await (stage.networks.titles?.() ?? stage.networks.list())).map(({ id, name }) => ({ id, name }))
    for (const { id, name } of [first, second])
      assert.deepEqual(
        titles.filter(one => one.id === id),
        [{ id, name }],
      )

    await stage.networks.undefine(first.id)
    assert.deepEqual(await ours(stage, first.id, second.id), [second])
  })

  stage.it('changes a network that is defined again', async () => {
    const first = network()
    const second = { ...first, name: anotherName(stage, first.name), vlan: 7 }
    await stage.networks.define(first)
    await stage.networks.define(second)

    assert.deepEqual(await ours(stage, first.id), [second])
  })

  stage.it('keeps two networks of one name and tag apart', async () => {
    const [first, second] = [network({ vlan: 5 }), network({ vlan: 5 })]
    await stage.networks.define(first)
    await stage.networks.define(second)
    await stage.networks.undefine(first.id)

    assert.deepEqual(await ours(stage, first.id, second.id), [second])
  })

  if (stage.traits.renamesNoNetworks === true) {
    stage.it('refuses another name to a network, and changes nothing else of it', async () => {
      const first = network()
      await stage.networks.define(first)

      await rejectsWith('refused', stage.networks.define({ ...first, name: 'renamed', vlan: 7 }))
      assert.deepEqual(await ours(stage, first.id), [first])
    })
  }

  if (!stage.traits.outlivesConnection) return

  stage.it('finds networks again after a new connection', async () => {
    const [kept, gone] = [network(), network()]
    await stage.networks.define(kept)
    await stage.networks.define(gone)
    await stage.networks.undefine(gone.id)
    await stage.disconnect()
    await stage.connect()

    assert.deepEqual(await ours(stage, kept.id, gone.id), [kept])
  })
}

function describeRefusals(stage: Stage): void {
  for (const vlan of [0, 4095, -1, 1.5]) {
    stage.it(`refuses the 802.1Q tag ${vlan}`, async () => {
      const odd = network({ vlan })

      await rejectsWith('refused', stage.networks.define(odd))
      assert.deepEqual(await ours(stage, odd.id), [])
    })
  }

  stage.it('refuses a network through a device that the host does not have, and keeps what it had', async () => {
    const first = network()
    await stage.networks.define(first)

    await rejectsWith('refused', stage.networks.define({ ...first, nic: NO_DEVICE }))
    await rejectsWith('refused', stage.networks.define(network({ nic: NO_DEVICE })))
    assert.deepEqual(await ours(stage, first.id), [first])
  })

  stage.it('says not-found to undefine of a network that the host does not have', async () => {
    await rejectsWith('not-found', stage.networks.undefine(NOBODY))
  })
}

function describeUse(stage: Stage): void {
  stage.it('starts domains that are plugged into one network', async () => {
    const lab = network()
    await stage.networks.define(lab)
    for (let count = 0; count < 2; count++) {
      const config = withDevices(stage, { nics: [nic(lab.id), nic(null, { device: 'eth1', model: 'emulated' })] })
      await run(stage, config)
      await stage.assertState(config.id, 'running')
      assert.deepEqual(await stage.driver.domains.config(config.id), config)
    }
  })

  stage.it('leaves a domain halted whose network the host does not have, and starts it when there is one', async () => {
    const lab = network()
    const config = withDevices(stage, { nics: [nic(lab.id)] })
    await stage.driver.domains.define(config)
    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')

    await stage.networks.define(lab)
    await stage.driver.domains.start(config.id)
    await stage.assertState(config.id, 'running')
  })

  for (const state of ['running', 'paused'] as const) {
    stage.it(`does not forget a network that a ${state} domain is plugged into, until it is halted`, async () => {
      const lab = network()
      await stage.networks.define(lab)
      const config = withDevices(stage, { nics: [nic(lab.id)] })
      await stage.driver.domains.define(config)
      await stage.driver.domains.start(config.id, { paused: state === 'paused' })

      await rejectsWith('bad-state', stage.networks.undefine(lab.id))
      assert.deepEqual(await ours(stage, lab.id), [lab])
      await stage.driver.domains.powerOff(config.id)
      await stage.networks.undefine(lab.id)
      assert.deepEqual(await ours(stage, lab.id), [])
    })
  }

  stage.it('changes a network that a running domain is plugged into', async () => {
    const lab = network()
    await stage.networks.define(lab)
    const config = withDevices(stage, { nics: [nic(lab.id)] })
    await run(stage, config)
    await stage.networks.define({ ...lab, name: anotherName(stage, lab.name), vlan: 9 })

    await stage.assertState(config.id, 'running')
    assert.equal((await ours(stage, lab.id))[0]?.vlan, 9)
    await rejectsWith('bad-state', stage.networks.undefine(lab.id))
  })
}
