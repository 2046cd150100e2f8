import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { network, nic } from '../conformance/parts.ts'
import { domainConfig, type HypervHost, passwordFile, startHost } from './setting.ts'

let plans = 0

/** The newest host through v2, and the oldest through v1. */
const BUILDS = { v1: '7601', v2: '20348' } as const
type Namespace = keyof typeof BUILDS
const NAMESPACES = ['v1', 'v2'] as const

/** What each does to a machine. */
const METHODS = {
  v1: {
    make: 'DefineVirtualSystem',
    change: 'ModifyVirtualSystem',
    resize: 'ModifyVirtualSystemResources',
    destroy: 'DestroyVirtualSystem',
  },
  v2: {
    make: 'DefineSystem',
    change: 'ModifySystemSettings',
    resize: 'ModifyResourceSettings',
    destroy: 'DestroySystem',
  },
} as const

interface Failing {
  readonly namespace?: Namespace
  readonly pace?: string
  readonly vms?: number
}

/** A host on which this goes wrong, and a connection to it. */
async function failing(
  plan: unknown,
  run: (driver: Driver, host: HypervHost) => Promise<void>,
  { namespace = 'v2', pace = '0', vms = 0 }: Failing = {},
): Promise<void> {
  const file = `${passwordFile}-plan-${(plans += 1)}`
  writeFileSync(file, JSON.stringify(plan))
  const host = await startHost('--pace', pace, '--build', BUILDS[namespace], '--vms', String(vms), '--faults', file)
  const driver = await host.connect()
  try {
    await run(driver, host)
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

for (const namespace of NAMESPACES) {
  const { make, change, resize, destroy } = METHODS[namespace]
  const isV1 = namespace === 'v1'

  test(`a machine that cannot be made a domain of is taken back, through ${namespace}`, async () => {
    const plan = { requests: [{ method: change, fault: 'access-denied' }] }
    const run = async (driver: Driver) => {
      await assert.rejects(driver.domains.define(domainConfig()), { name: 'DriverError', kind: 'refused' })

      assert.deepEqual(await driver.domains.list(), [])
    }
    await failing(plan, run, { namespace })
  })

  test(`a machine that cannot be taken back is named in the error, through ${namespace}`, async () => {
    // In v1, a name and a note are written first, each by itself.
    const plan = {
      requests: [
        { method: change, nth: isV1 ? 3 : 1, fault: 'access-denied' },
        { method: destroy, fault: 'access-denied' },
      ],
    }
    const run = async (driver: Driver) => {
      const config = domainConfig()
      await assert.rejects(driver.domains.define(config), { message: new RegExp(`machine ${config.name} .* remains`) })

      // It is a domain all the same, and can be undefined when the host lets it.
      assert.deepEqual(await driver.domains.list(), [{ id: config.id, name: config.name, state: 'halted' }])
    }
    await failing(plan, run, { namespace })
  })

  test(`a definition that cannot be replaced stays as it was, through ${namespace}`, async () => {
    const nth = isV1 ? 5 : 2
    const plan = { requests: [{ method: change, nth, fault: 'access-denied' }] }
    const run = async (driver: Driver) => {
      const config = domainConfig()
      await driver.domains.define(config)
      const other = { ...config, name: 'other', vcpus: 4, memoryBytes: config.memoryBytes * 2 }
      await assert.rejects(driver.domains.define(other), { kind: 'refused' })

      assert.deepEqual(await driver.domains.config(config.id), config)
    }
    await failing(plan, run, { namespace })
  })

  test(`a machine whose memory the host changes by itself keeps that where it cannot be made another, through ${namespace}`, async () => {
    const plan = { requests: [{ method: change, nth: 1, fault: 'access-denied' }] }
    const run = async (driver: Driver, { sim }: HypervHost) => {
      const [vm] = sim.host?.state.vms ?? []
      assert(vm !== undefined)
      const dynamic = { DynamicMemoryEnabled: true, VirtualQuantity: 512n, Reservation: 256n, Limit: 1_024n }
      const memory = () => vm.configuration.resources.find(({ className }) => className === 'Msvm_MemorySettingData')
      vm.configuration.resources = vm.configuration.resources.map(one =>
        one === memory() ? { ...one, values: { ...one.values, ...dynamic } } : one,
      )
      const { system } = vm.configuration
      vm.configuration.system = { ...system, values: { ...system.values, VirtualNumaEnabled: false } }
      const id = vm.id.toLowerCase()
      if ((await driver.domains.get(id)).state !== 'halted') await driver.domains.powerOff(id)
      const config = await driver.domains.config(id)
      await assert.rejects(driver.domains.define({ ...config, vcpus: 2 }), { kind: 'refused' })

      const now = memory()?.values ?? {}
      for (const [name, value] of Object.entries(dynamic)) assert.equal(now[name], value, name)
    }
    await failing(plan, run, { namespace, vms: 1 })
  })

  test(`a domain whose machine was made, changed or deleted without an answer is one, and is none, through ${namespace}`, async () => {
    const plan = { requests: [make, resize, change, destroy].map(method => ({ method, nth: 1, fault: 'lost-after' })) }
    const run = async (driver: Driver) => {
      const config = { ...domainConfig(), vcpus: 2 }
      await driver.domains.define(config)
      assert.deepEqual(await driver.domains.list(), [{ id: config.id, name: config.name, state: 'halted' }])
      assert.deepEqual(await driver.domains.config(config.id), config)

      await driver.domains.undefine(config.id)
      assert.deepEqual(await driver.domains.list(), [])
    }
    await failing(plan, run, { namespace })
  })
}

test('a job that fails tells why, in the words of the host and with its code', async () => {
  const plan = { jobs: [{ type: 12, failure: { code: 32_788, message: 'Not enough memory.\n\nReally not.' } }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)

    await assert.rejects(driver.domains.start(config.id), {
      kind: 'refused',
      message: 'cannot run the machine: Not enough memory. Really not. (32788)',
    })
  })
})

test('a machine that starts but cannot be paused is turned off again', async () => {
  const plan = { jobs: [{ type: 26, failure: { code: 32_768, message: 'No.' } }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)
    await assert.rejects(driver.domains.start(config.id, { paused: true }), { kind: 'refused' })

    assert.equal((await driver.domains.get(config.id)).state, 'halted')
  })
})

test('a start that is aborted on its way leaves the domain halted', async () => {
  const plan = { jobs: [{ type: 12, slowness: 100 }] }
  const run = async (driver: Driver) => {
    const config = domainConfig()
    await driver.domains.define(config)
    const controller = new AbortController()
    const start = driver.domains.start(config.id, { signal: controller.signal, onProgress: () => controller.abort() })
    await assert.rejects(start, { name: 'DriverError', kind: 'refused', message: /aborted/ })

    assert.equal((await driver.domains.get(config.id)).state, 'halted')
  }
  await failing(plan, run, { pace: '0.02' })
})

test('answers that always come as jobs, and such as never do, lead to the same', async () => {
  const run = async (driver: Driver) => {
    const lab = network({ vlan: 7 })
    await driver.networks?.define(lab)
    const config = { ...domainConfig(), vcpus: 2, nics: [nic(lab.id)] }
    await driver.domains.define(config)
    await driver.domains.start(config.id, { paused: true })

    assert.deepEqual(await driver.domains.config(config.id), config)
    assert.equal((await driver.domains.get(config.id)).state, 'paused')
  }
  for (const answers of ['sync', 'async']) {
    for (const namespace of NAMESPACES) await failing({ answers }, run, { namespace })
  }
})

test('answers that are lost are asked for again, and of changes it is looked whether they were made', async () => {
  const lost = (method: string, nth: number) => ({ method, nth, fault: 'lost-after' })
  const requests = [lost('GetSummaryInformation', 2), lost('RequestStateChange', 1), lost('RequestStateChange', 3)]
  const plan = { requests: [...requests, { operation: 'Get', nth: 1, fault: 'lost-before' }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)
    await driver.domains.start(config.id)
    await driver.domains.pause(config.id)
    await driver.domains.powerOff(config.id)

    assert.deepEqual(await driver.domains.get(config.id), { id: config.id, name: config.name, state: 'halted' })
  })
})

test('what a host was asked and never heard is asked again', async () => {
  const unheard = (method: string, nth: number) => ({ method, nth, fault: 'lost-before' })
  const plan = { requests: [1, 3, 5].map(nth => unheard('RequestStateChange', nth)) }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)
    await driver.domains.start(config.id, { paused: true })
    await driver.domains.powerOff(config.id)

    assert.equal((await driver.domains.get(config.id)).state, 'halted')
  })
})

test('a network whose making nobody confirmed is there all the same, and one that was never heard of is not', async () => {
  const lost = (nth: number, fault: string) => ({ method: 'DefineSystem', nth, fault })
  await failing({ requests: [lost(1, 'lost-before'), lost(2, 'lost-after')] }, async ({ networks }) => {
    const lab = network()
    await assert.rejects(networks?.define(lab) ?? assert.fail(), { kind: 'unreachable' })
    assert.deepEqual(await networks?.list(), [])
    await networks?.define(lab)
    assert.deepEqual(await networks?.list(), [lab])
  })
})

test('ports of switches go with what they were made for, whatever answers are lost, through v1', async () => {
  const lost = (method: string) => ({ method, nth: 1, fault: 'lost-after' })
  const plan = { requests: ['DestroyVirtualSystem', 'DeleteSwitchPort'].map(lost) }
  const run = async (driver: Driver, { sim }: HypervHost) => {
    const lab = network()
    await driver.networks?.define(lab)
    const [one] = sim.host?.state.switches ?? []
    const before = one?.ports.length
    const config = { ...domainConfig(), nics: [nic(lab.id)] }
    await driver.domains.define(config)
    await driver.domains.undefine(config.id)

    assert.deepEqual([await driver.domains.list(), one?.ports.length], [[], before])
  }
  await failing(plan, run, { namespace: 'v1' })
})

for (const namespace of NAMESPACES) {
  const [bind, change, destroy] =
    namespace === 'v1'
      ? ['SetupSwitch', 'CreateSwitchPort', 'DeleteSwitch']
      : ['DefineSystem', 'ModifySystemSettings', 'DestroySystem']

  test(`a card is bound to its switch or to none, and a network changed or gone, when the answer is lost, through ${namespace}`, async () => {
    const plan = { requests: [bind, change, destroy].map(method => ({ method, nth: 1, fault: 'lost-after' })) }
    const run = async ({ networks }: Driver, { sim }: HypervHost) => {
      assert(networks !== undefined && sim.host !== undefined)
      const lab = network({ nic: sim.host.state.externalPorts[0]?.name ?? '' })
      // Where a step of several is not confirmed, all are taken back.
      await networks.define(lab).catch(() => networks.define(lab).catch(() => networks.define(lab)))
      await networks.define({ ...lab, vlan: 7 }).catch(() => networks.define({ ...lab, vlan: 7 }))
      assert.deepEqual(await networks.list(), [{ ...lab, vlan: 7 }])

      await networks.undefine(lab.id)
      assert.deepEqual([await networks.list(), sim.host.state.boundPorts ?? []], [[], []])
    }
    await failing(plan, run, { namespace })
  })
}

test('a network that goes while the host is told a second time to delete it, and refuses, is gone', async () => {
  const plan = { requests: [{ method: 'DestroySystem', nth: 1, fault: 'lost-after' }] }
  const run = async ({ networks }: Driver) => {
    assert(networks !== undefined)
    const lab = network()
    await networks.define(lab)
    await networks.undefine(lab.id)
    assert.deepEqual(await networks.list(), [])
  }
  // The first job takes a quarter of a second, and the second finds no switch.
  await failing(plan, run, { pace: '0.5' })
})

test('a machine of v1 whose making is broken off before it has its name is the domain, and gets the name when it is defined again', async () => {
  // The first gives it its notes, the next would give it its name, and it cannot be taken back either.
  const requests = [
    { method: 'ModifyVirtualSystem', nth: 2, fault: 'access-denied' },
    { method: 'DestroyVirtualSystem', nth: 1, fault: 'access-denied' },
  ]
  const run = async ({ domains }: Driver, { sim }: HypervHost) => {
    const config = domainConfig()
    const { id, name } = config
    await assert.rejects(domains.define(config), { kind: 'refused', message: /remains on the host/ })
    assert.deepEqual(await domains.list(), [{ id, name, state: 'halted' }])
    assert.equal((await domains.config(id)).name, name)

    await domains.define(config)
    assert.deepEqual(await domains.list(), [{ id, name, state: 'halted' }])
    assert.deepEqual(
      sim.host?.state.vms.map(vm => vm.configuration.system.values['ElementName']),
      [name],
    )
  }
  await failing({ requests }, run, { namespace: 'v1' })
})
