import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf, textOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { parsePath } from '../../sim/hyperv/cim/path.ts'
import { call, embedded, query } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, type V1World, v1WorldOf } from './v1-world.ts'

// A host with something of everything: a machine that runs, with adapters, a disk and a snapshot; a switch that leads to
// the outside and to the host; a card of the host's own that leads nowhere.

const SETTLING_MS = 60_000

async function fullWorld(build: number): Promise<V1World> {
  const world = await v1WorldOf({ build, vms: 2 })
  const lan = outOf(
    world,
    await serve(world, 'VirtualSwitch', 'CreateSwitch', { FriendlyName: 'lan' }),
    'CreatedVirtualSwitch',
  )
  const portNamed = async (Name: string): Promise<Instance> => {
    const input = { VirtualSwitch: pathHere(world, lan), Name, FriendlyName: Name }
    return outOf(world, await serve(world, 'VirtualSwitch', 'CreateSwitchPort', input), 'CreatedSwitchPort')
  }
  const [own, outer, inner] = [await portNamed('own'), await portNamed('outer'), await portNamed('inner')]
  const [card] = query(world.v1, 'SELECT * FROM Msvm_ExternalEthernetPort')
  assert(card !== undefined)
  await serve(world, 'VirtualSwitch', 'CreateInternalEthernetPortDynamicMac', { Name: 'loose', FriendlyName: 'loose' })
  await serve(world, 'VirtualSwitch', 'SetupSwitch', {
    ExternalSwitchPort: pathHere(world, outer),
    InternalSwitchPort: pathHere(world, inner),
    ExternalEthernetPort: pathHere(world, card),
    InternalEthernetPortName: '',
    InternalEthernetPortFriendlyName: 'host',
  })
  await world.clock.advance(SETTLING_MS)
  await addMachine(world, own)
  return world
}

async function addMachine(world: V1World, port: Instance): Promise<void> {
  const system = await defineHere(world, 'web')
  const adapter = (kind: string, ports: readonly string[]): string =>
    embedded(`Msvm_${kind}EthernetPortSettingData`, {
      Connection: ['string', ports],
      ResourceType: ['uint16', 10],
      ResourceSubType: ['string', `Microsoft ${kind} Ethernet Port`],
    })
  const added = await serve(world, 'VirtualSystem', 'AddVirtualSystemResources', {
    TargetSystem: pathHere(world, system),
    ResourceSettingData: [adapter('Synthetic', [pathHere(world, port)]), adapter('Emulated', [])],
  })
  assert.equal(added.returnValue, 0)
  await call(world.v1, system, 'RequestStateChange', { RequestedState: 2 })
  await world.clock.advance(SETTLING_MS)
  const taken = await serve(world, 'VirtualSystem', 'CreateVirtualSystemSnapshot', {
    SourceSystem: pathHere(world, system),
  })
  const job = outOf(world, taken, 'Job')
  const done = world.host.jobs.ended(textOf(job, 'InstanceID'))
  await world.clock.advance(SETTLING_MS)
  await done
}

function textsIn(value: CimValue): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** Paths that an instance holds, in references and in texts. */
function pathsIn(instance: Instance): string[] {
  return [...instance.values].flatMap(([name, value]) => {
    const isPath = ['Parent', 'Connection', 'HostResource'].includes(name)
    if (!isPath && instance.class.property(name)?.type !== 'reference') return []
    return textsIn(value).filter(text => text.startsWith('\\\\'))
  })
}

for (const build of [7601, 9200]) {
  test(`whatever build ${build} shows of root\\virtualization is found by its name, and leads somewhere`, async () => {
    const world = await fullWorld(build)
    const { v1 } = world
    const amiss: string[] = []
    const shown = new Set<string>()

    for (const cls of v1.schema.classes.filter(({ isAbstract }) => !isAbstract)) {
      for (const instance of v1.list(cls.name)) {
        const path = v1.pathOf(instance)
        shown.add(instance.class.name)
        const again = v1.find({ className: instance.class.name, keys: keysOf(instance) })
        if (again === undefined) amiss.push(`not found: ${path}`)
        else assert.deepEqual(again.values, instance.values, path)
        for (const text of pathsIn(instance)) {
          const name = parsePath(text)
          if (name === undefined || v1.find(name) === undefined) amiss.push(`${path} leads nowhere: ${text}`)
          else if (
            cls.isAssociation &&
            !v1.references(name, { resultClass: cls.name }).some(one => v1.pathOf(one) === path)
          )
            amiss.push(`${path} is not found from ${text}`)
        }
      }
    }

    assert.deepEqual(amiss, [])
    assert(shown.size > 60, `${shown.size} classes`)
  })
}
