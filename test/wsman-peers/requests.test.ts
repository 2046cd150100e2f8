import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { BasicPoster } from './basic-poster.ts'
import { type Node, select, textAt } from './literal-xml.ts'
import { type Answer, propertyOf, RecordedClient, recorded, valuesOf } from './recorded-client.ts'

// What libvirt 11.3.0 and wsmancli really sent, sent again to the whole simulated host: only what belonged to the host of
// that day is replaced. What the answers are held against is what those clients read, by the places where they look.

const FAULT = '/s:Envelope/s:Body/s:Fault'
const SYSTEMS = 'SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER '
const PATIENCE_MS = 20_000
/** Machines of the host that was recorded. */
const OFF = '11111111-1111-1111-1111-111111111111'
const RUNNING = '22222222-2222-2222-2222-222222222222'

let folder: string
let host: SimHyperv
let poster: BasicPoster
let client: RecordedClient
/** Machines of this host, as it writes their names. */
let running: string
let off: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyvisor-requests-'))
  const options = ['--basic', '--allow-unencrypted', '--vms', '3', '--pace', '0', '--seed', '1']
  const state = join(folder, 'state')
  await mkdir(`${state}.files/C/iso`, { recursive: true })
  await writeFile(`${state}.files/C/iso/a.iso`, Buffer.alloc(4096))
  host = await startSimHyperv(...options, '--state', state)
  poster = new BasicPoster(host)
  client = new RecordedClient(poster.post)
  const machines = await client.query(SYSTEMS)
  running = nameOf(machines, 'vm-0001')
  off = nameOf(machines, 'vm-0002')
})
after(async () => {
  poster[Symbol.dispose]()
  assert.equal(await host.stop(), 0)
  assert.equal(host.complaints(), '')
  await rm(folder, { recursive: true })
})

describe('a client of Basic alone', () => {
  test('is asked who it is, once, and then known by each request', async () => {
    const first = await poster.post(recorded('libvirt-v2/enumerate_wql_vm_by_name.txt'), null)
    const wrong = await poster.post(recorded('libvirt-v2/enumerate_wql_vm_by_name.txt'), 'wrong')
    const known = await client.post(recorded('libvirt-v2/enumerate_wql_vm_by_name.txt'))

    for (const { status, headers, text } of [first, wrong]) {
      assert.deepEqual([status, text], [401, ''])
      assert.match(headers['www-authenticate'] ?? '', /(^|, )Basic realm=/)
    }
    assert.equal(known.status, 200)
    assert.equal(known.headers['content-type'], 'application/soap+xml;charset=UTF-8')
  })
})

describe('libvirt', () => {
  test('finds the host by queries of root\\cimv2', async () => {
    const begun = await client.send('enumerate_wql_select_cimv2.txt')
    const context = textAt(begun.root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext')
    assert.ok(context)
    const pulled = await client.post(client.pull(context, 'Win32_ComputerSystemProduct', true))

    const [product] = itemsOf(pulled)
    assert.ok(product)
    assert.match(propertyOf(product, 'UUID') ?? '', /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
    const [system] = await client.query('SELECT * FROM Win32_OperatingSystem ')
    assert.ok(system)
    assert.equal(propertyOf(system, 'Version'), '10.0.20348')
  })

  test('finds a machine by its name, and nothing where there is none', async () => {
    for (const [name, count] of [
      ['vm-0002', 1],
      ['vm', 0],
    ] as const) {
      const begun = await client.send('enumerate_wql_vm_by_name.txt', { vm1: name })
      const context = textAt(begun.root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext')
      const pulled = await client.send('pull.txt', { 'uuid:B4CD0FB0-7838-4EA1-B55C-CCB9789FF766': context ?? '' })

      // Where nothing is found, there has to be an element that says so.
      assert.equal(select(pulled.root, '/s:Envelope/s:Body/n:PullResponse/n:Items').length, 1)
      assert.equal(itemsOf(pulled).length, count)
      assert.equal(select(pulled.root, '/s:Envelope/s:Body/n:PullResponse/n:EndOfSequence').length, 1)
    }
  })

  test('finds settings of a machine by a name in lower case', async () => {
    for (const spelled of [off, off.toLowerCase()]) {
      const begun = await client.send('enumerate_wql_associators.txt', { [OFF]: spelled })
      const context = textAt(begun.root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext')
      assert.ok(context)
      const [settings, ...more] = itemsOf(await client.post(client.pull(context, 'Msvm_VirtualSystemSettingData')))

      assert.ok(settings && more.length === 0)
      assert.equal(propertyOf(settings, 'InstanceID'), `Microsoft:${off}`)
    }
  })

  test('reads one machine in each Pull, and a context that changes', async () => {
    const names = (await client.query(SYSTEMS)).map(machine => propertyOf(machine, 'ElementName') ?? '')

    assert.deepEqual(names.toSorted(), ['vm-0001', 'vm-0002', 'vm-0003'])
  })

  test('asks for machines by every condition that it knows', async () => {
    const isActive = 'EnabledState != 0 and EnabledState != 3 and EnabledState != 32769'
    const isInactive = 'EnabledState = 0 or EnabledState = 3 or EnabledState = 32769'
    const named = async (condition: string) =>
      (await client.query(`${SYSTEMS}AND ${condition}`))
        .map(machine => propertyOf(machine, 'ElementName') ?? '')
        .toSorted()
    const [machine] = await client.query(`${SYSTEMS}AND Name = '${running.toLowerCase()}'`)
    assert.ok(machine)

    assert.deepEqual(await named(`(${isActive})`), ['vm-0001', 'vm-0003'])
    assert.deepEqual(await named(`(${isInactive})`), ['vm-0002'])
    assert.deepEqual(await named(`ProcessID = ${propertyOf(machine, 'ProcessID')}`), ['vm-0001'])
  })

  test('finds templates by a pattern whose percents it doubles', async () => {
    const rows = await client.query(
      "SELECT * FROM Msvm_ResourceAllocationSettingData WHERE ResourceSubType = 'Microsoft:Hyper-V:Physical Disk Drive' " +
        "AND InstanceID LIKE '%%Default%%'",
    )
    const [limit] = await client.query(
      "SELECT * FROM Msvm_ProcessorSettingData WHERE InstanceID LIKE 'Microsoft:Definition%Maximum'",
    )

    assert.equal(rows.length, 1)
    assert.ok(limit)
    assert.equal(propertyOf(limit, 'VirtualQuantity'), '16')
  })

  test('refers to a service by what an enumeration of references gave', async () => {
    const [reference, ...more] = await client.query(
      `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${off.toLowerCase()}'`,
      'Msvm_VirtualSystemManagementService',
      'references',
    )

    assert.ok(reference && more.length === 0)
    assert.equal(reference.name, 'a:EndpointReference')
    const [address, parameters] = reference.children
    assert.deepEqual(
      [address?.name, parameters?.name, parameters?.children.map(({ name }) => name)],
      ['a:Address', 'a:ReferenceParameters', ['w:ResourceURI', 'w:SelectorSet']],
    )
    const selectors = parameters?.children[1]?.children.map(({ attributes, text }) => [attributes.get('Name'), text])
    assert.deepEqual(selectors, [
      ['CreationClassName', 'Msvm_ComputerSystem'],
      ['Name', off],
    ])
  })

  test('starts a machine and saves another, and follows the jobs by queries', async () => {
    const start = await client.send('invoke_requeststatechange_2.txt', { [OFF]: off.toLowerCase() })
    assert.equal(textAt(start.root, '/s:Envelope/s:Body/p:RequestStateChange_OUTPUT/p:ReturnValue'), '4096')
    assert.equal(await client.finish(start, 'RequestStateChange'), '0')
    const save = await client.send('invoke_requeststatechange_6_save.txt', { [RUNNING]: off })
    assert.equal(await client.finish(save, 'RequestStateChange'), '0')

    assert.equal(await stateOf(off), '6')
    const discard = await client.send('invoke_requeststatechange_6_save.txt', {
      [RUNNING]: off,
      '<n1:RequestedState>6<': '<n1:RequestedState>3<',
    })
    assert.equal(await client.finish(discard, 'RequestStateChange'), '0')
    assert.equal(await stateOf(off), '3')
  })

  test('changes settings with nothing but their name and what is to be', async () => {
    const system = await client.send('invoke_modifysystemsettings.txt', { [OFF]: off })
    const processors = await client.send('invoke_modifyresourcesettings_cpu.txt', { [OFF]: off })
    const memory = await client.send('invoke_modifyresourcesettings_define_2.txt', {
      '55555555-5555-5555-5555-555555555555': off,
    })

    assert.equal(await client.finish(system, 'ModifySystemSettings'), '0')
    for (const answer of [processors, memory]) assert.equal(await client.finish(answer, 'ModifyResourceSettings'), '0')
    const read = async (className: string, id: string, name: string) => {
      const [settings] = await client.query(`SELECT * FROM ${className} WHERE InstanceID = '${id}'`)
      return settings && propertyOf(settings, name)
    }
    const quantity = async (className: string) => {
      const settings = await client.query(
        `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${off}'} ` +
          `WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = ${className}`,
      )
      return settings.map(item => propertyOf(item, 'VirtualQuantity'))
    }
    assert.equal(await read('Msvm_VirtualSystemSettingData', `Microsoft:${off}`, 'AutomaticStartupAction'), '4')
    assert.deepEqual(await quantity('Msvm_ProcessorSettingData'), ['4'])
    assert.deepEqual(await quantity('Msvm_MemorySettingData'), ['512'])
  })

  test('may not change what is no machine’s', async () => {
    const answer = await client.send('invoke_modifyresourcesettings_define_1.txt')

    await assert.rejects(client.finish(answer, 'ModifyResourceSettings'), /is in state 10/)
  })

  test('takes pictures of machines', async () => {
    const answer = await client.send('invoke_getthumbnail.txt', { [RUNNING]: running })

    const output = '/s:Envelope/s:Body/p:GetVirtualSystemThumbnailImage_OUTPUT'
    assert.equal(textAt(answer.root, `${output}/p:ReturnValue`), '0')
    const image = textAt(answer.root, `${output}/p:ImageData`) ?? ''
    assert.match(image, /^[A-Za-z0-9+/]+=*$/)
    assert.equal(Buffer.from(image, 'base64').length, 16 * 8 * 2)
  })

  test('presses keys of a machine whose name it writes in lower case', async () => {
    const [keyboard] = await client.query(
      `ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${running.toLowerCase()}'} ` +
        'WHERE ResultClass = Msvm_Keyboard',
    )
    assert.ok(keyboard)
    const device = {
      [`Microsoft:${RUNNING}\\86ba1bcc-c1a8-4d4e-8d2a-3b6a2b0c1a11`]: propertyOf(keyboard, 'DeviceID') ?? '',
    }

    const answer = await client.send('invoke_presskey.txt', { ...device, [RUNNING]: running.toLowerCase() })

    assert.equal(await client.finish(answer, 'PressKey'), '0')
  })

  test('shuts a guest down with words that are no XML of truth values', async () => {
    const [component] = await client.query(
      `SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '${running.toLowerCase()}'`,
    )
    assert.ok(component)
    const answer = await client.send('invoke_initiateshutdown.txt', {
      [`Microsoft:${RUNNING}\\9F8233AC-BE49-4C79-8EE3-E7E1985B2077`]: propertyOf(component, 'DeviceID') ?? '',
      [RUNNING]: running,
    })

    assert.equal(await client.finish(answer, 'InitiateShutdown'), '0')
    const deadline = Date.now() + PATIENCE_MS
    while ((await stateOf(running)) !== '3' && Date.now() < deadline) await sleep(50)
    assert.equal(await stateOf(running), '3')
  })

  test('removes a machine', async () => {
    const defined = await client.send('invoke_definesystem.txt')
    assert.equal(await client.finish(defined, 'DefineSystem'), '0')
    const [machine] = await client.query(`${SYSTEMS}AND ElementName = 'newvm'`)
    const name = (machine && propertyOf(machine, 'Name')) ?? ''

    const answer = await client.send('invoke_destroysystem.txt', { [OFF]: name })

    assert.equal(await client.finish(answer, 'DestroySystem'), '0')
    assert.deepEqual(await client.query(`${SYSTEMS}AND Name = '${name}'`), [])
  })

  test('is told of mistakes with a status and in places that it reads', async () => {
    const mistaken = recorded('libvirt-v2/enumerate_wql_vm_by_name.txt', { Msvm_ComputerSystem: 'Msvm_Nothing' })

    const { status, root } = await client.post(mistaken)

    assert.equal(status, 500)
    assert.equal(textAt(root, `${FAULT}/s:Code/s:Value`), 's:Sender')
    assert.equal(textAt(root, `${FAULT}/s:Code/s:Subcode/s:Value`), 'n:CannotProcessFilter')
    assert.ok(textAt(root, `${FAULT}/s:Reason/s:Text`))
    assert.equal(select(root, `${FAULT}/s:Detail`).length, 1)
  })
})

describe('wsmancli', () => {
  const CLASS = 'p:Msvm_ComputerSystem'
  const send = async (file: string, replacements: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const answer = await client.post(recorded(`wsmancli/${file}`, replacements))
    assert.equal(answer.status, 200, answer.text)
    return answer
  }
  const pull = (context: string) => send('pull_maxelements.txt', { '23EF5194-E703-4E8F-81CC-5ED5F844908A': context })

  test('identifies the host', async () => {
    const { root } = await send('identify.txt')

    const [response] = root.children.find(({ name }) => name === 's:Body')?.children ?? []
    assert.equal(response?.name, 'wsmid:IdentifyResponse')
    const told = Object.fromEntries(response.children.map(({ name, text }) => [name, text]))
    assert.equal(told['wsmid:ProtocolVersion'], 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd')
    assert.equal(told['wsmid:ProductVersion'], 'OS: 10.0.20348 SP: 0.0 Stack: 3.0')
  })

  test('gets a machine, and of a machine one property', async () => {
    const whole = await send('get.txt', { [RUNNING]: off })
    const fragment = await send('get_fragment.txt', {
      '<wsman:Selector Name="Name">a</wsman:Selector>':
        `<wsman:Selector Name="Name">${off}</wsman:Selector>` +
        '<wsman:Selector Name="CreationClassName">Msvm_ComputerSystem</wsman:Selector>',
    })

    const [machine] = select(whole.root, `/s:Envelope/s:Body/${CLASS}`)
    assert.ok(machine)
    assert.equal(propertyOf(machine, 'ElementName'), 'vm-0002')
    const [part] = select(fragment.root, '/s:Envelope/s:Body/w:XmlFragment')
    assert.deepEqual(
      part?.children.map(({ local, text }) => [local, text]),
      [['Name', off]],
    )
  })

  test('enumerates in one go: the first item at once, all others with the first Pull', async () => {
    const first = await send('enumerate_wql_optimized_locale.txt')
    const response = '/s:Envelope/s:Body/n:EnumerateResponse'
    assert.equal(select(first.root, `${response}/w:Items`)[0]?.children.length, 1)
    assert.deepEqual(select(first.root, `${response}/w:EndOfSequence`), [])
    const context = textAt(first.root, `${response}/n:EnumerationContext`)?.replace('uuid:', '') ?? ''

    const second = await pull(context)

    assert.equal(itemsOf(second).length, 3)
    assert.equal(select(second.root, '/s:Envelope/s:Body/n:PullResponse/n:EnumerationContext').length, 0)
    assert.equal((await client.post(recorded('wsmancli/pull_maxelements.txt'))).status, 500)
  })

  test('enumerates references, and both with an estimate of how many there are', async () => {
    const begun = await send('enumerate_epr.txt')
    const both = await send('enumerate_object_and_epr_count.txt')
    const contextOf = ({ root }: Answer) =>
      textAt(root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext')?.replace('uuid:', '') ?? ''

    const references = itemsOf(await pull(contextOf(begun)))
    const pairs = itemsOf(await pull(contextOf(both)))

    assert.deepEqual(new Set(references.map(({ name }) => name)), new Set(['a:EndpointReference']))
    assert.equal(textAt(both.root, '/s:Envelope/s:Header/w:TotalItemsCountEstimate'), '4')
    assert.deepEqual(
      pairs.map(({ name, children }) => [name, ...children.map(child => child.name)]),
      Array.from({ length: 4 }, () => ['w:Item', CLASS, 'a:EndpointReference']),
    )
  })

  test('finds what is associated with a machine without a query', async () => {
    const begun = await send('enumerate_association_filter.txt', {
      '<wsman:Selector Name="Name">a</wsman:Selector>':
        `<wsman:Selector Name="Name">${off}</wsman:Selector>` +
        '<wsman:Selector Name="CreationClassName">Msvm_ComputerSystem</wsman:Selector>',
    })
    const context = textAt(begun.root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext')

    const found = itemsOf(await pull(context?.replace('uuid:', '') ?? '')).map(({ local }) => local)

    assert.ok(found.includes('Msvm_VirtualSystemSettingData'))
  })

  test('lets go of an enumeration, after which nobody knows it', async () => {
    const begun = await send('enumerate_epr.txt')
    const context = textAt(begun.root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext') ?? ''

    const released = await send('release.txt', { 'uuid:1<': `${context}<`, Msvm_X: 'Msvm_ComputerSystem' })

    assert.deepEqual(released.root.children.find(({ name }) => name === 's:Body')?.children, [])
    const late = await client.post(
      recorded('wsmancli/pull_maxelements.txt', { 'uuid:23EF5194-E703-4E8F-81CC-5ED5F844908A': context }),
    )
    assert.equal(late.status, 500)
    assert.equal(textAt(late.root, `${FAULT}/s:Code/s:Subcode/s:Value`), 'n:InvalidEnumerationContext')
  })

  test('calls a method', async () => {
    const answer = await send('invoke.txt', { [RUNNING]: off })

    assert.equal(await client.finish(answer, 'RequestStateChange'), '0')
    assert.equal(await stateOf(off), '2')
  })

  test('deletes nothing', async () => {
    const unknown = await client.post(recorded('wsmancli/delete.txt'))
    const machine = await client.post(
      recorded('wsmancli/get.txt', { [RUNNING]: off, 'transfer/Get': 'transfer/Delete' }),
    )

    assert.equal(textAt(unknown.root, `${FAULT}/s:Code/s:Subcode/s:Value`), 'a:DestinationUnreachable')
    assert.equal(textAt(machine.root, `${FAULT}/s:Code/s:Subcode/s:Value`), 'w:InternalError')
    assert.equal(await stateOf(off), '2')
  })
})

function itemsOf({ root }: Answer): readonly Node[] {
  return select(root, '/s:Envelope/s:Body/n:PullResponse/n:Items')[0]?.children ?? []
}

function nameOf(machines: readonly Node[], elementName: string): string {
  const found = machines.find(machine => propertyOf(machine, 'ElementName') === elementName)
  assert.ok(found, elementName)
  return propertyOf(found, 'Name') ?? ''
}

async function stateOf(name: string): Promise<string | undefined> {
  const [machine] = await client.query(`${SYSTEMS}AND Name = '${name}'`)
  assert.ok(machine)
  assert.ok(valuesOf(machine, 'OperationalStatus').length > 0)
  return propertyOf(machine, 'EnabledState')
}
