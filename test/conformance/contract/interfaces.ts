import assert from 'node:assert/strict'
import { booted, configOf, network, nic, withDevices } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

/** Plugging interfaces in, and moving their cables. */
export function describeInterfaces(stage: Stage): void {
  if (stage.traits.plugsNoNics === true) describeFixedInterfaces(stage)
  else describePlugging(stage)

  stage.it('refuses an interface that the domain has, and changes nothing', async () => {
    const config = withDevices(stage, { nics: [nic()] })
    const id = await booted(stage, config)
    const [twin] = config.nics ?? []
    assert(twin !== undefined)

    await rejectsWith('refused', stage.devices.attachNic(id, { ...twin, mac: '02:00:00:00:00:77', device: 'eth1' }))
    assert.deepEqual(await configOf(stage, id), config)
  })

  if (!stage.traits.groups.includes('networks')) return
  describeCables(stage)
  describeLinks(stage)
}

function describePlugging(stage: Stage): void {
  for (const state of ['running', 'paused'] as const) {
    stage.it(`plugs an interface into a ${state} domain, which has it from then on`, async () => {
      const config = stage.config()
      await stage.driver.domains.define(config)
      await stage.driver.domains.start(config.id, { paused: state === 'paused' })
      const more = nic()
      await stage.devices.attachNic(config.id, more)

      await stage.assertState(config.id, state)
      assert.deepEqual((await configOf(stage, config.id)).nics?.at(-1), more)
      await stage.driver.domains.powerOff(config.id)
      await stage.driver.domains.start(config.id)
      await stage.assertState(config.id, 'running')
    })
  }
}

/** A host that changes no interfaces of guests while they run. */
function describeFixedInterfaces(stage: Stage): void {
  stage.it('refuses to plug an interface in and to pull one, and changes nothing', async () => {
    const config = withDevices(stage, { nics: [nic()] })
    const id = await booted(stage, config)

    await rejectsWith('refused', stage.devices.attachNic(id, nic(null, { device: 'eth1' })))
    await rejectsWith('refused', stage.devices.detachNic(id, config.nics?.[0]?.id ?? ''))
    assert.deepEqual(await configOf(stage, id), config)
  })
}

function describeCables(stage: Stage): void {
  stage.it('moves the cable of an interface from network to network and out', async () => {
    const [first, second] = [network({ name: 'one' }), network({ name: 'two' })]
    await stage.networks.define(first)
    await stage.networks.define(second)
    const config = withDevices(stage, { nics: [nic(first.id)] })
    const id = await booted(stage, config)
    const [port] = config.nics ?? []
    assert(port !== undefined)

    for (const place of [second.id, null, first.id, first.id]) {
      await stage.devices.connectNic(id, port.id, place)
      assert.deepEqual((await configOf(stage, id)).nics, [{ ...port, network: place }])
    }
    await stage.networks.undefine(second.id)
    await rejectsWith('bad-state', stage.networks.undefine(first.id))
  })

  stage.it('refuses a cable into a network that the host does not have', async () => {
    const config = withDevices(stage, { nics: [nic()] })
    const id = await booted(stage, config)

    await rejectsWith('refused', stage.devices.connectNic(id, config.nics?.[0]?.id ?? '', NOBODY))
    await rejectsWith('refused', stage.devices.attachNic(id, nic(NOBODY, { device: 'eth1' })))
    assert.deepEqual(await configOf(stage, id), config)
  })
}

function describeLinks(stage: Stage): void {
  stage.it('takes the carrier of an interface away and gives it back, wherever its cable is plugged in', async () => {
    const place = network()
    await stage.networks.define(place)
    const config = withDevices(stage, { nics: [nic(place.id)] })
    const id = await booted(stage, config)
    const [port] = config.nics ?? []
    assert(port !== undefined)
    const nics = async () => (await configOf(stage, id)).nics

    for (let round = 0; round < 2; round++) {
      await stage.devices.setLink(id, port.id, false)
      assert.deepEqual(await nics(), [{ ...port, linkDown: true }])
    }
    await stage.devices.connectNic(id, port.id, null)
    await stage.devices.connectNic(id, port.id, place.id)
    assert.deepEqual(await nics(), [{ ...port, linkDown: true }])
    await stage.devices.setLink(id, port.id, true)
    assert.deepEqual(await nics(), [port])
  })

  stage.it(
    'starts a domain with an interface whose link is down, and it is down until somebody says otherwise',
    async () => {
      const place = network()
      await stage.networks.define(place)
      const config = withDevices(stage, { nics: [nic(place.id, { linkDown: true })] })
      const id = await booted(stage, config)
      const [port] = config.nics ?? []

      assert.deepEqual(await configOf(stage, id), config)
      if (stage.traits.groups.includes('suspension')) {
        await stage.suspension.suspend(id)
        await stage.suspension.resume(id)
        assert.deepEqual(await configOf(stage, id), config)
      }
      await stage.driver.domains.powerOff(id)
      await stage.driver.domains.start(id)
      assert.deepEqual(await configOf(stage, id), config)
      await stage.devices.setLink(id, port?.id ?? '', true)
      assert.deepEqual((await configOf(stage, id)).nics?.[0]?.linkDown ?? false, false)
    },
  )
}
