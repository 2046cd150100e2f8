import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PythonPeer } from '../sim/http/python-peer.ts'
import { HYPERV_ADMIN, type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { select, textAt } from './literal-xml.ts'
import { propertyOf, readAnswer, RecordedClient, recorded } from './recorded-client.ts'

// Requests of foreign clients, sealed and carried by another foreign client, to hosts in their default configuration: a
// whole life of a machine in each namespace, of which our own client has no part.

const PATH = '/s:Envelope/s:Body'

interface Face {
  readonly build: number
  readonly version: string
  readonly namespace: string
  readonly folder: string
  readonly define: readonly [file: string, method: string, name: string]
  readonly start: readonly [file: string, name: string]
  readonly destroy: readonly [file: string, method: string, name: string]
}

const FACES: readonly Face[] = [
  {
    build: 20348,
    version: 'OS: 10.0.20348 SP: 0.0 Stack: 3.0',
    namespace: 'root/virtualization/v2',
    folder: 'libvirt-v2',
    define: ['invoke_definesystem.txt', 'DefineSystem', 'newvm'],
    start: ['invoke_requeststatechange_2.txt', '11111111-1111-1111-1111-111111111111'],
    destroy: ['invoke_destroysystem.txt', 'DestroySystem', '11111111-1111-1111-1111-111111111111'],
  },
  {
    build: 7601,
    version: 'OS: 6.1.7601 SP: 1.0 Stack: 2.0',
    namespace: 'root/virtualization',
    folder: 'libvirt-seed-v1',
    define: ['v1-DefineVirtualSystem.req.txt', 'DefineVirtualSystem', 'test'],
    start: ['v1-RequestStateChange.req.txt', '0f924121-d665-5aaa-9722-7b7c13e12633'],
    destroy: ['v1-DestroyVirtualSystem.req.txt', 'DestroyVirtualSystem', '577C0415-CC6F-4201-94F1-B88CF5398C80'],
  },
]

const peer = new PythonPeer(join(import.meta.dirname, 'pywinrm-session.py'))
after(() => peer[Symbol.asyncDispose]())

for (const face of FACES) {
  describe(`python3-winrm at a host of build ${face.build}`, () => {
    let host: SimHyperv
    let machine: string
    const open = (password: string = HYPERV_ADMIN.password, encryption = 'always') =>
      peer.ask('open', { url: `${host.urls[0]}/wsman`, user: HYPERV_ADMIN.name, password, encryption })
    const client = new RecordedClient(async envelope => {
      const { status, text } = await peer.ask('send', { envelope })
      return readAnswer(Number(status), String(text))
    }, face.folder)
    /** What wsmancli sent, for the namespace of this host. */
    const ask = (file: string, replacements: Readonly<Record<string, string>> = {}) => {
      const envelope = recorded(`wsmancli/${file}`, replacements)
      return client.post(envelope.replaceAll('root/virtualization/v2', face.namespace))
    }
    const named = (name: string) => client.query(`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '${name}'`)
    const changeState = async (state: number): Promise<string | undefined> => {
      const answer = await client.send(face.start[0], {
        [face.start[1]]: machine.toLowerCase(),
        '<n1:RequestedState>2<': `<n1:RequestedState>${state}<`,
      })
      assert.equal(textAt(answer.root, `${PATH}/p:RequestStateChange_OUTPUT/p:ReturnValue`), '4096')
      assert.equal(await client.finish(answer, 'RequestStateChange'), '0')
      const [found] = await named(face.define[2])
      return found && propertyOf(found, 'EnabledState')
    }
    before(async () => {
      host = await startSimHyperv('--build', String(face.build), '--vms', '3', '--seed', '1', '--pace', '0.2')
      await open()
    })
    after(async () => {
      assert.equal(await host.stop(), 0)
      assert.equal(host.complaints(), '')
    })

    test('identifies it', async () => {
      const { root } = await client.post(recorded('wsmancli/identify.txt'))

      const [response] = root.children.find(({ name }) => name === 's:Body')?.children ?? []
      assert.equal(response?.children.find(({ name }) => name === 'wsmid:ProductVersion')?.text, face.version)
    })

    test('enumerates it, one by one and in batches', async () => {
      const names = (await client.query('SELECT * FROM Msvm_ComputerSystem')).map(each => propertyOf(each, 'Name'))
      const first = await ask('enumerate_wql_optimized_locale.txt')
      const context = textAt(first.root, `${PATH}/n:EnumerateResponse/n:EnumerationContext`) ?? ''
      const rest = await ask('pull_maxelements.txt', { 'uuid:23EF5194-E703-4E8F-81CC-5ED5F844908A': context })

      const items = [
        ...(select(first.root, `${PATH}/n:EnumerateResponse/w:Items`)[0]?.children ?? []),
        ...(select(rest.root, `${PATH}/n:PullResponse/n:Items`)[0]?.children ?? []),
      ]
      assert.equal(names.length, 4)
      assert.deepEqual(
        items.map(each => propertyOf(each, 'Name')),
        names,
      )
      assert.equal(select(rest.root, `${PATH}/n:PullResponse/n:EndOfSequence`).length, 1)
    })

    test('defines a machine by an instance in a parameter, and gets it', async () => {
      const [file, method, name] = face.define
      const defined = await client.send(file)
      assert.equal(await client.finish(defined, method), '0')
      const [found] = await named(name)
      machine = (found && propertyOf(found, 'Name')) ?? ''

      const { root } = await ask('get.txt', { '22222222-2222-2222-2222-222222222222': machine })

      const [got] = select(root, `${PATH}/p:Msvm_ComputerSystem`)
      assert.ok(got)
      assert.deepEqual([propertyOf(got, 'ElementName'), propertyOf(got, 'EnabledState')], [name, '3'])
    })

    test('starts it, turns it off, and destroys it, each by a job that it follows', async () => {
      assert.equal(await changeState(2), '2')
      assert.equal(await changeState(3), '3')
      const [file, method, name] = face.destroy
      const destroyed = await client.send(file, { [name]: machine })
      assert.equal(await client.finish(destroyed, method), '0')

      assert.deepEqual(await named(face.define[2]), [])
    })

    test('reads a fault, which comes sealed as well', async () => {
      const { status, root } = await ask('get.txt', { Msvm_ComputerSystem: 'Msvm_Nothing' })

      assert.equal(status, 500)
      assert.equal(textAt(root, `${PATH}/s:Fault/s:Code/s:Subcode/s:Value`), 'a:DestinationUnreachable')
    })

    test('is refused with a wrong password, and in clear text', async () => {
      const envelope = recorded('wsmancli/enumerate_epr.txt')

      await open('wrong')
      assert.deepEqual(await peer.ask('refusal', { envelope }), { name: 'InvalidCredentialsError' })
      await open(HYPERV_ADMIN.password, 'never')
      assert.deepEqual(await peer.ask('refusal', { envelope }), { name: 'InvalidCredentialsError' })
      await open()
    })
  })
}
