import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHost } from '../../sim/hyperv/host/open-host.ts'
import { repositoriesOf } from '../../sim/hyperv/repositories.ts'
import { wsmanService } from '../../sim/hyperv/wsman/service.ts'
import { WsmanClient } from '../../src/protocols/wsman/client.ts'
import { CimInterval } from '../../src/protocols/wsman/datetime.ts'
import { embedded, typed } from '../../src/protocols/wsman/embedded.ts'
import { type EndpointReference, reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { type Transport, TransportError } from '../../src/protocols/wsman/transport.ts'
import { associatorsOf, like, wql } from '../../src/protocols/wsman/wql.ts'

// The client against the simulated host, without a network between them: two halves that share no code but XML.

const V2 = 'root/virtualization/v2'
const SERVICE = reference(V2, 'Msvm_VirtualSystemManagementService', {
  CreationClassName: 'Msvm_VirtualSystemManagementService',
})

/** A host of a recent build, and a client of it that counts its exchanges. */
async function world(vms: number) {
  const { host, close } = await openHost({ build: 20_348, vms, seed: 'client', pace: 0 })
  const bugs: unknown[] = []
  const service = wsmanService({
    host: { name: host.state.name, build: 20_348 },
    namespaces: repositoriesOf(host, ['v2']),
    clock: host.clock,
    onBug: error => bugs.push(error),
  })
  const counts = { exchanges: 0 }
  const transport: Transport = {
    url: 'http://hv.example:5985/wsman',
    close: () => undefined,
    async post(envelope, { isAnonymous = false }) {
      counts.exchanges++
      const user = isAnonymous ? undefined : 'HV\\Administrator'
      const answer = await service({ envelope, user, signal: new AbortController().signal })
      if (answer === 'lost') throw new TransportError('lost', 'lost', { wasSent: true })
      return { status: answer.status, body: answer.envelope }
    },
  }
  const client = new WsmanClient(transport, { namespace: V2 })
  return {
    client,
    counts,
    async [Symbol.asyncDispose]() {
      await client.close()
      await close()
      assert.deepEqual(bugs, [])
    },
  }
}

/** The first machine that the host has. */
async function machineOf(client: WsmanClient): Promise<EndpointReference> {
  const [machine] = await client.queryReferences(wql`SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER`)
  assert.ok(machine)
  return machine
}

test('who answers, with and without credentials', async () => {
  await using at = await world(1)

  assert.equal((await at.client.identify()).osVersion, '10.0.20348')
  assert.equal((await at.client.identify({ isAnonymous: true })).osVersion, undefined)
})

test('two hundred machines come in three exchanges, each once', async () => {
  await using at = await world(200)

  const machines = await at.client.query(wql`SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER`)

  assert.equal(new Set(machines.map(machine => machine.string('Name'))).size, 200)
  assert.ok(at.counts.exchanges <= 3, `${at.counts.exchanges} exchanges`)
})

test('what is enumerated can be got by the reference that came with it', async () => {
  await using at = await world(2)

  for (const className of ['Msvm_ComputerSystem', 'Msvm_SettingsDefineState', 'Msvm_ResourceAllocationSettingData']) {
    for await (const { instance, reference: to } of at.client.enumerateNamed(className)) {
      const got = await at.client.get(to)
      assert.deepEqual(got.names, instance.names)
      assert.equal(got.className, instance.className)
    }
  }
})

test('queries, projections and both kinds of asking for what is associated', async () => {
  await using at = await world(3)
  const machine = await machineOf(at.client)
  const settings = { associationClass: 'Msvm_SettingsDefineState', resultClass: 'Msvm_VirtualSystemSettingData' }

  const [row] = await at.client.query(
    wql`SELECT ElementName FROM Msvm_ComputerSystem WHERE ElementName LIKE ${like`%${'1'}`}`,
  )
  const byQuery = await at.client.associators(machine, settings)
  const byFilter = await at.client.query({ of: machine, ...settings })
  const selected = await at.client.query({
    className: 'Msvm_ComputerSystem',
    where: { Name: machine.key('Name') ?? '' },
  })

  assert.deepEqual(row?.names, ['ElementName'])
  assert.equal(byQuery[0]?.string('InstanceID'), `Microsoft:${machine.key('Name')}`)
  assert.deepEqual(
    byFilter.map(each => each.string('InstanceID')),
    byQuery.map(each => each.string('InstanceID')),
  )
  assert.equal(selected.length, 1)
})

test('a machine is defined by CIM-XML with what Windows takes badly, and found again by it', async () => {
  await using at = await world(1)
  const name = `a & b < c > "d" 'e' \\f`
  const settings = embedded('Msvm_VirtualSystemSettingData', {
    ElementName: typed('string', name),
    Notes: typed('string[]', ['one & <two> &amp;']),
    AutomaticStartupActionDelay: typed('interval', CimInterval.ofMilliseconds(90_000)),
  })

  const { returnValue, output } = await at.client.invoke(SERVICE, 'DefineSystem', { SystemSettings: settings })
  const [found] = await at.client.query(wql`SELECT * FROM Msvm_VirtualSystemSettingData WHERE ElementName = ${name}`)

  assert.equal(returnValue, 0)
  assert.equal(output.reference('ResultingSystem')?.className, 'Msvm_ComputerSystem')
  assert.equal(found?.string('ElementName'), name)
  assert.deepEqual(found?.strings('Notes'), ['one & <two> &amp;'])
  assert.equal(found?.interval('AutomaticStartupActionDelay')?.milliseconds, 90_000)
})

test('arrays of references and of numbers go in, objects and octets come out', async () => {
  await using at = await world(2)
  const machine = await machineOf(at.client)
  const settings = await at.client.queryReferences(
    associatorsOf(machine, { associationClass: 'Msvm_SettingsDefineState' }),
  )

  const { output } = await at.client.invoke(SERVICE, 'GetSummaryInformation', {
    SettingData: settings,
    RequestedInformation: [0, 1, 100],
  })
  const [summary] = output.instances('SummaryInformation')

  assert.equal(summary?.string('Name'), machine.key('Name'))
  assert.equal(summary?.number('EnabledState'), (await at.client.get(machine)).number('EnabledState'))
})

test('what a host refuses is a fault of the kind that it means', async () => {
  await using at = await world(1)
  const { client } = at
  const machine = await machineOf(client)
  const nobody = reference(V2, 'Msvm_ComputerSystem', { CreationClassName: 'Msvm_ComputerSystem', Name: 'nobody' })

  await assert.rejects(client.get(nobody), { name: 'WsmanFault', kind: 'not-found' })
  await assert.rejects(client.get(reference(V2, 'Msvm_ComputerSystem', { Wrong: 1 })), { kind: 'invalid-selectors' })
  await assert.rejects(client.query(wql`SELECT FROM`), { kind: 'bad-filter' })
  await assert.rejects(client.query('Msvm_X', { namespace: 'root/none' }), { kind: 'not-found', code: 0x8033801a })
  await assert.rejects(client.put(machine, { ElementName: 'x' }), { kind: 'not-supported' })
  await assert.rejects(client.invoke(machine, 'Nothing'), { kind: 'not-supported' })
  await assert.rejects(client.invoke(machine, 'RequestStateChange', { Nothing: 1 }), { kind: 'schema' })
  await assert.rejects(client.pull('Msvm_ComputerSystem', 'uuid:1'), { kind: 'invalid-context' })
})
