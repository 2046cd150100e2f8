import assert from 'node:assert/strict'
import {
  type EndpointReference,
  type FaultKind,
  type NamedInstance,
  reference,
  referencesOf,
  type WsmanClient,
  WsmanFault,
  wql,
  wqlName,
} from '../../src/protocols/wsman/index.ts'
import { type Face, serviceOf } from './client-faces.ts'
import { finish, machineNamed, stateOf } from './client-world.ts'

// What a client of ours does with a namespace of a host: every operation, every kind of parameter, every kind of failure.

/** A machine, and a client that looks at it through one namespace. */
export interface View {
  readonly client: WsmanClient
  readonly face: Face
  readonly locale: string
  readonly machine: EndpointReference
}

/** The machine's name: it holds everything that XML, CIM-XML and WQL escape. */
export const NAME = `R&D <"ü"> 'x' \\ %_ 名前`
/** How long after its host the machine starts. */
export const DELAY_MS = 65_250

async function enumerate({ client }: View): Promise<void> {
  const names = ['HVHOST', NAME, 'vm-0001', 'vm-0002']
  const whole = await client.query('Msvm_ComputerSystem')
  const references = await client.queryReferences('Msvm_ComputerSystem')
  const named: NamedInstance[] = []
  for await (const each of client.enumerateNamed('Msvm_ComputerSystem')) named.push(each)

  assert.deepEqual(new Set(whole.map(each => each.string('ElementName'))), new Set(names))
  assert.deepEqual([references.length, named.length], [names.length, names.length])
  for (const { instance, reference: name } of named) assert.equal(instance.string('Name'), name.key('Name'))
  const page = await client.start('Msvm_ComputerSystem', 'instances')
  assert.equal(page.items.length, 1) // As hosts from 2008 R2 on do, however many are asked for.
  assert.ok(page.context !== undefined)
  await client.release('Msvm_ComputerSystem', page.context)
}

async function askInWql({ client, machine }: View): Promise<void> {
  const [whole, ...more] = await client.query(wql`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = ${NAME}`)
  const [part] = await client.query(wql`SELECT Name, EnabledState FROM Msvm_ComputerSystem WHERE ElementName = ${NAME}`)

  assert.ok(whole !== undefined && part !== undefined && more.length === 0)
  assert.equal(whole.string('Name'), machine.key('Name'))
  assert.deepEqual(part.names, ['EnabledState', 'Name'])
  assert.equal(part.number('EnabledState'), 3)
  assert.equal(part.string('Name'), machine.key('Name'))
}

async function associate({ face, client, machine }: View): Promise<void> {
  const { namespace } = face
  const filter = { associationClass: 'Msvm_SettingsDefineState', resultClass: 'Msvm_VirtualSystemSettingData' }

  const [settings, ...more] = await client.associators(machine, filter)
  const [same] = await client.query({ of: machine, ...filter })
  const links = await client.query(referencesOf(machine, { resultClass: 'Msvm_SettingsDefineState' }))

  assert.ok(settings !== undefined && same !== undefined && more.length === 0)
  assert.equal(settings.string('ElementName'), NAME)
  assert.equal(settings.string('InstanceID'), `Microsoft:${machine.key('Name')}`)
  assert.equal(same.string('InstanceID'), settings.string('InstanceID'))
  assert.deepEqual(
    links.map(link => link.reference('SettingData')?.key('InstanceID')),
    [settings.string('InstanceID')],
  )
  const settingsName = reference(namespace, settings.className, { InstanceID: settings.string('InstanceID') ?? '' })
  assert.equal((await client.get(settingsName)).string('ElementName'), NAME)
}

async function embed({ client, face, machine }: View): Promise<void> {
  const id = machine.key('Name') ?? ''
  const [start] = await client.query(wql`SELECT * FROM ${wqlName(face.startClass)} WHERE ElementName = ${NAME}`)
  assert.equal(start?.interval('AutomaticStartupActionDelay')?.milliseconds, DELAY_MS)
  const find = async (className: string) => {
    const all = await client.query(className)
    return all.find(each => each.string('InstanceID')?.startsWith(`Microsoft:${id}\\`))
  }
  const quantities = await Promise.all(
    (['Msvm_ProcessorSettingData', 'Msvm_MemorySettingData'] as const).map(async className => {
      const settings = await find(className)
      return { className, id: settings?.string('InstanceID') ?? '', value: className.includes('Memory') ? 768n : 2n }
    }),
  )

  await face.resize(client, machine, quantities)

  for (const { className, value } of quantities) {
    assert.equal((await find(className))?.bigint('VirtualQuantity'), value)
  }
}

async function summarize({ face, client, machine }: View): Promise<void> {
  const { namespace } = face
  const settings = await client.queryReferences('Msvm_VirtualSystemSettingData')

  const { returnValue, output } = await client.invoke(serviceOf(namespace), 'GetSummaryInformation', {
    SettingData: settings,
    RequestedInformation: [0, 1, 4, 100],
  })

  assert.equal(returnValue, 0)
  const summaries = output.instances('SummaryInformation')
  assert.equal(summaries.length, settings.length)
  const own = summaries.find(summary => summary.string('ElementName') === NAME)
  assert.deepEqual([own?.string('Name'), own?.number('NumberOfProcessors')], [machine.key('Name'), 2])
}

async function changeStates({ client, face, machine }: View): Promise<void> {
  for (const [wanted, state] of [
    [2, 2],
    [face.pauses, face.paused],
    [3, 3],
  ] as const) {
    const result = await client.invoke(machine, 'RequestStateChange', { RequestedState: wanted })
    const job = await finish(client, result)

    assert.equal(job?.number('JobState'), 7)
    assert.deepEqual([job.number('ErrorCode'), job.number('PercentComplete')], [0, 100])
    assert.equal(job.interval('TimeBeforeRemoval')?.milliseconds, 300_000)
    assert.equal(await stateOf(client, machine), state)
  }
}

async function pressKeys({ client }: View): Promise<void> {
  const running = await machineNamed(client, 'vm-0001')
  const [keyboard] = await client.queryReferences(
    wql`SELECT * FROM Msvm_Keyboard WHERE SystemName = ${running.key('Name') ?? ''}`,
  )
  assert.ok(keyboard)

  assert.equal((await client.invoke(keyboard, 'TypeText', { asciiText: 'a & <b>' })).returnValue, 0)
  assert.equal((await client.invoke(keyboard, 'TypeText', { asciiText: NAME })).returnValue, 1)
  assert.equal((await client.invoke(keyboard, 'TypeScancodes', { Scancodes: Uint8Array.of(28, 156) })).returnValue, 0)
  await client.invoke(keyboard, 'PressKey', { KeyCode: 65 })
  const pressed = await client.invoke(keyboard, 'IsKeyPressed', { KeyCode: 65 })
  assert.equal(pressed.output.boolean('KeyState'), true)
}

async function seeScreen({ client, face }: View): Promise<void> {
  const running = await machineNamed(client, 'vm-0001')
  const [settings] = await client.queryReferences(
    wql`SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID = ${`Microsoft:${running.key('Name')}`}`,
  )
  assert.ok(settings)

  const { returnValue, output } = await client.invoke(serviceOf(face.namespace), 'GetVirtualSystemThumbnailImage', {
    TargetSystem: settings,
    WidthPixels: 160,
    HeightPixels: 120,
  })

  assert.equal(returnValue, 0)
  assert.equal(output.bytes('ImageData')?.length, 160 * 120 * 2)
}

async function failInAJob({ client, face, locale }: View): Promise<void> {
  const doomed = await face.define(client, 'vm-that-fails-to-start', 0)

  const job = await finish(client, await client.invoke(doomed, 'RequestStateChange', { RequestedState: 2 }))

  assert.ok(job)
  assert.deepEqual([job.number('JobState'), job.number('ErrorCode')], [10, 32778])
  const words = { 'en-US': /failed to start/, 'ja-JP': /起動できませんでした/ }[locale] ?? /^$/
  assert.match(job.string('ErrorDescription') ?? '', words)
  assert.equal(await stateOf(client, doomed), 3)
  await face.destroy(client, doomed)
}

async function fail({ face, client, machine }: View): Promise<void> {
  const { namespace } = face
  const nowhere = reference(namespace, 'Msvm_ComputerSystem', { ...KEYS, Name: 'nobody' })
  const failures: Readonly<Record<string, readonly [FaultKind, () => Promise<unknown>]>> = {
    'an instance that is not there': ['not-found', () => client.get(nowhere)],
    'a class that is not there': ['not-found', () => client.get(reference(namespace, 'Msvm_Nothing'))],
    'a namespace that is not there': [
      'not-found',
      () => client.query('Msvm_X', { namespace: 'root/virtualization/v3' }),
    ],
    'a key that is none': [
      'invalid-selectors',
      () => client.get(reference(namespace, 'Msvm_ComputerSystem', { X: 'y' })),
    ],
    'a query for a class that is not there': ['bad-filter', () => client.query(wql`SELECT * FROM Msvm_Nothing`)],
    'an enumeration that is over': ['invalid-context', () => client.pull('Msvm_ComputerSystem', CONTEXT, 'instances')],
    'a method that is none': ['not-supported', () => client.invoke(machine, 'Vanish')],
    'a parameter that is none': ['schema', () => client.invoke(machine, 'RequestStateChange', { Mood: 1 })],
    writing: ['not-supported', () => client.put(machine, { ElementName: 'x' })],
    deleting: ['not-supported', () => client.delete(machine)],
  }

  for (const [what, [kind, provoke]] of Object.entries(failures)) {
    const fault: unknown = await provoke().catch((error: unknown) => error)
    assert.ok(fault instanceof WsmanFault, `${what}: ${String(fault)}`)
    assert.equal(fault.kind, kind, `${what}: ${fault.message}`)
  }
}

async function remove({ client, face, machine }: View): Promise<void> {
  await face.destroy(client, machine)

  assert.deepEqual(await client.query(wql`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = ${NAME}`), [])
  await assert.rejects(client.get(machine), { name: 'WsmanFault', kind: 'not-found' })
}

/** In the order in which they go over one machine, whose end is the last. */
export const CHECKS: readonly (readonly [name: string, check: (view: View) => Promise<void>])[] = [
  ['lists instances, references, and both, in batches and one by one', enumerate],
  ['answers queries, whatever a name is made of, whole or in part', askInWql],
  ['follows associations, both by a query and without one', associate],
  ['keeps what instances in parameters said', embed],
  ['takes numbers and references by the array, and gives instances back', summarize],
  ['starts, pauses and stops a machine, each by a job', changeStates],
  ['presses keys while a machine runs', pressKeys],
  ['reads the bytes of a picture', seeScreen],
  ['tells of a job that fails, in its language', failInAJob],
  ['tells what it does not do by codes that mean the same in every language', fail],
  ['removes a machine, which is then nowhere', remove],
]

const KEYS = { CreationClassName: 'Msvm_ComputerSystem' } as const
const CONTEXT = 'uuid:11111111-2222-3333-4444-555555555555'
