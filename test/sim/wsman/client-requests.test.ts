import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { batchOf, contentOf, faultOf } from './replies.ts'
import { makeRequest } from './requests.ts'
import { HOST, makeWorld, USER, VMS, type World } from './world.ts'

// What foreign clients really sent is answered, word for word as they sent it.

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'hyperv', 'client-requests')
/** v1 is asked of the one build that has both namespaces and takes a service's class alone for its name. */
const BUILDS: Readonly<Record<string, number>> = { 'libvirt-v2': 20348, 'libvirt-seed-v1': 9200, wsmancli: 20348 }

const readRequest = (folder: string, file: string): string => {
  const text = readFileSync(join(FOLDER, folder, file), 'utf8')
  return text.slice(text.indexOf('<?xml')).trimEnd()
}

/** Those that have to come to nothing here, and why. */
const FAULTS: Readonly<Record<string, { readonly subcode: string; readonly code: number }>> = {
  // Contexts of the host that was asked then.
  'libvirt-v2/pull.txt': { subcode: 'n:InvalidEnumerationContext', code: 2150858779 },
  'libvirt-seed-v1/v1-Pull.req.txt': { subcode: 'n:InvalidEnumerationContext', code: 2150858779 },
  'libvirt-seed-v1/v1-PullEPR.req.txt': { subcode: 'n:InvalidEnumerationContext', code: 2150858779 },
  'wsmancli/pull_maxelements.txt': { subcode: 'n:InvalidEnumerationContext', code: 2150858779 },
  'wsmancli/release.txt': { subcode: 'n:InvalidEnumerationContext', code: 2150858779 },
  // Msvm_X is no class, and one key is not all keys.
  'wsmancli/delete.txt': { subcode: 'a:DestinationUnreachable', code: 2150858778 },
  'wsmancli/enumerate_association_filter.txt': { subcode: 'w:InvalidSelectors', code: 2150858848 },
  'wsmancli/get_fragment.txt': { subcode: 'w:InvalidSelectors', code: 2150858842 },
}

for (const folder of readdirSync(FOLDER)) {
  describe(`requests of ${folder}`, () => {
    const world = makeWorld({ build: BUILDS[folder] ?? 20348 })

    for (const file of readdirSync(join(FOLDER, folder))) {
      const fault = FAULTS[`${folder}/${file}`]
      test(`${file} is answered${fault === undefined ? '' : ` with ${fault.subcode}`}`, async () => {
        const reply = await world.post(readRequest(folder, file))

        if (fault === undefined) assert.equal(reply.status, 200, reply.text)
        else assert.deepEqual({ ...fault, ...pick(faultOf(reply)) }, fault)
        assert.deepEqual(world.bugs, [])
      })
    }
  })
}

function pick({ subcode, code }: { readonly subcode: string; readonly code: number }) {
  return { subcode, code }
}

describe('the C driver of libvirt finds', () => {
  const enumerate = async (world: World, request: string): Promise<string> => batchOf(await world.post(request)).context

  test('one item in every Pull, whatever class its URI names', async () => {
    const world = makeWorld()
    const pull = readRequest('libvirt-v2', 'pull.txt')
    const own = 'Msvm_ComputerSystem</wsman:ResourceURI>'
    const service = 'Msvm_VirtualSystemManagementService</wsman:ResourceURI>'
    let context = await enumerate(world, makeRequest('Enumerate', '', { wql: 'SELECT * FROM Msvm_ComputerSystem' }))

    const names: string[] = []
    while (context !== '') {
      const request = pull.replace(/uuid:B4CD0FB0[^<]*/, context).replace(own, names.length % 2 === 0 ? own : service)
      const batch = batchOf(await world.post(request))
      assert.equal(batch.items.length, 1)
      names.push(batch.items[0]?.element('ElementName')?.text() ?? '')
      assert.notEqual(batch.context, context)
      context = batch.context
    }

    assert.deepEqual(names, [HOST, 'vm1', 'vm2', 'vm3'])
  })

  test('the VMs that are not the host, by a name of WMI itself', async () => {
    const world = makeWorld()

    const context = await enumerate(world, readRequest('libvirt-v2', 'enumerate_wql_vm_by_name.txt'))
    const batch = batchOf(await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context })))

    assert.equal(batch.items[0]?.element('Name')?.text(), VMS[0])
    assert.ok(batch.isEnd)
  })

  test('settings by their path, every backslash of which it doubles', async () => {
    const world = makeWorld()

    const context = await enumerate(world, readRequest('libvirt-v2', 'enumerate_wql_by_path.txt'))
    const batch = batchOf(await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context })))

    assert.equal(batch.items[0]?.element('Address')?.text(), '00155DAABBCC')
  })

  test('settings by what they are associated with', async () => {
    const world = makeWorld()

    const context = await enumerate(world, readRequest('libvirt-v2', 'enumerate_wql_associators.txt'))
    const batch = batchOf(await world.post(makeRequest('Pull', 'Msvm_VirtualSystemSettingData', { context })))

    assert.equal(batch.items[0]?.element('InstanceID')?.text(), `Microsoft:${VMS[0]}`)
  })

  test('its values in what it calls: a truth value in any case, a VM in lower case, settings as escaped text', async () => {
    const world = makeWorld()

    await world.post(readRequest('libvirt-v2', 'invoke_initiateshutdown.txt'))
    await world.post(readRequest('libvirt-v2', 'invoke_presskey.txt'))
    await world.post(readRequest('libvirt-v2', 'invoke_destroysystem.txt'))
    await world.post(readRequest('libvirt-v2', 'invoke_definesystem.txt'))

    const [shutdown, press, destroy, define] = world.calls
    assert.equal(shutdown?.caller.user, USER)
    assert.deepEqual(Object.fromEntries(shutdown?.input ?? []), {
      Force: false,
      Reason: 'Planned shutdown via libvirt',
    })
    assert.deepEqual(Object.fromEntries(press?.input ?? []), { KeyCode: 17 })
    const keys = `CreationClassName="Msvm_ComputerSystem",Name="${VMS[0]}"`
    assert.equal(
      destroy?.input.get('AffectedSystem'),
      `\\\\${HOST}\\root\\virtualization\\v2:Msvm_ComputerSystem.${keys}`,
    )
    const settings = define?.input.get('SystemSettings')
    assert.ok(typeof settings === 'string')
    assert.match(settings, /^<\?xml version="1\.0"\?>\n<INSTANCE CLASSNAME=/)
  })

  test('the answers to its calls at the places where its XPaths look', async () => {
    const world = makeWorld()

    const reply = await world.post(readRequest('libvirt-v2', 'invoke_requeststatechange_2.txt'))

    const output = contentOf(reply)
    assert.equal(`${output.prefix}:${output.name}`, 'p:RequestStateChange_OUTPUT')
    assert.equal(output.element('ReturnValue')?.prefix, 'p')
    assert.equal(output.element('ReturnValue')?.text(), '0')
    for (const prefix of ['s', 'a', 'w']) assert.notEqual(reply.root.namespaceOf(prefix), undefined)
  })

  test('a Server 2008 R2 that wants all keys of its switch service, and no more of the other than it sends', async () => {
    const world = makeWorld({ build: 7601 })

    const create = await world.post(readRequest('libvirt-seed-v1', 'v1-CreateSwitchPort.req.txt'))
    const modify = await world.post(readRequest('libvirt-seed-v1', 'v1-ModifyVirtualSystem.req.txt'))

    assert.equal(faultOf(create).subcode, 'w:InvalidSelectors')
    assert.equal(modify.status, 200)
  })
})
