import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EndpointReference, WsmanClient } from '../../src/protocols/wsman/index.ts'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { FACE_V2 } from './client-faces.ts'
import { connect, finish, machineNamed, stateOf } from './client-world.ts'

const PATIENCE_MS = 10_000
const folder = mkdtempSync(join(tmpdir(), 'polyvisor-state-'))
after(() => rmSync(folder, { recursive: true }))

describe('a host that keeps its state', () => {
  const state = join(folder, 'state')
  const start = () => startSimHyperv('--state', state, '--vms', '2', '--seed', '1', '--pace', '0')
  let host: SimHyperv
  let client: WsmanClient
  let machine: EndpointReference
  const open = async () => {
    host = await start()
    client = connect(host)
  }

  test('has after an orderly end what it had before, and starts what is to start', async () => {
    await open()
    machine = await FACE_V2.define(client, 'kept', 0)
    await finish(client, await client.invoke(machine, 'RequestStateChange', { RequestedState: 2 }))
    const names = (await client.query('Msvm_ComputerSystem')).map(each => each.string('Name') ?? '')
    await client.close()
    assert.equal(await host.stop(), 0)

    await open()

    const again = (await client.query('Msvm_ComputerSystem')).map(each => each.string('Name') ?? '')
    assert.deepEqual(again.toSorted(), names.toSorted())
    await untilState(machine, 2)
    assert.deepEqual(await client.query('Msvm_ConcreteJob'), []) // No job outlives the host that it ran on.
  })

  test('has after a power cut what it had written, and starts what ran', async () => {
    const added = await FACE_V2.define(client, 'added', 0)
    await untilWritten(added.key('Name') ?? '')
    await client.close()
    await host.kill()

    await open()

    assert.equal(await stateOf(client, added), 3)
    await untilState(machine, 2)
  })

  test('can be read again however often it is cut off while it writes', async () => {
    for (let round = 0; round < 3; round++) {
      const making = Promise.allSettled(
        Array.from({ length: 30 }, (_none, number) => FACE_V2.define(client, `many-${round}-${number}`, 0)),
      )
      await sleep(150 + 60 * round)
      await host.kill()
      await making
      await client.close()
      await open()
      assert.equal(await stateOf(client, await machineNamed(client, 'added')), 3)
    }
  })

  test('shares it with no second host, and leaves no lock behind', async () => {
    await assert.rejects(start(), new RegExp(`state is in use by process ${host.pid}; end that host first`))

    assert.equal(await stateOf(client, await machineNamed(client, 'added')), 3)
    await client.close()
    assert.equal(await host.stop(), 0)
    assert.deepEqual((await readdir(folder)).toSorted(), ['state', 'state.files'])
  })

  async function untilState(of: EndpointReference, wanted: number): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while ((await stateOf(client, of)) !== wanted) {
      assert.ok(Date.now() < deadline, 'it does not come about')
      await sleep(20)
    }
  }

  async function untilWritten(text: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await readFile(state, 'utf8')).includes(text)) {
      assert.ok(Date.now() < deadline, 'it is not written')
      await sleep(20)
    }
  }
})
