import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { parseOptions } from '../../sim/hyperv/options.ts'
import { type RunningSim, startSim } from '../../sim/hyperv/start.ts'
import { parseXml, type XmlElement } from '../../src/wire/xml/tree.ts'
import { PythonPeer } from '../sim/http/python-peer.ts'

const PASSWORD = 'Grüße 1'
const ENUMERATION = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration'
const VMS = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ComputerSystem'
const BATCH = '<w:OptimizeEnumeration/><w:MaxElements>20</w:MaxElements>'
const folder = mkdtempSync(join(tmpdir(), 'polyvisor-pywinrm-'))
const peer = new PythonPeer(join(import.meta.dirname, 'pywinrm-session.py'))
const bugs: string[] = []
let host: RunningSim

before(async () => {
  const file = join(folder, 'password')
  writeFileSync(file, PASSWORD)
  const args = [
    '--listen',
    'http://127.0.0.1:0',
    '--listen',
    'https://127.0.0.1:0',
    '--vms',
    '3',
    '--pace',
    '0',
    '--seed',
    '1',
  ]
  const options = parseOptions([...args, '--password-file', file])
  assert.ok(options)
  host = await startSim(options, message => bugs.push(message))
})

after(async () => {
  await peer[Symbol.asyncDispose]()
  await host.close()
  rmSync(folder, { recursive: true })
})

test('python3-winrm identifies, enumerates, pulls and invokes, everything sealed', async () => {
  await open({})

  const identity = await send(
    envelope('', '', '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>', false),
  )
  assert.equal(find(identity, 'ProductVendor')[0]?.text(), 'Microsoft Corporation')

  const machines = await enumerate()
  const names = machines.map(machine => machine.element('ElementName')?.text() ?? '')
  assert.deepEqual(new Set(names), new Set(['HVHOST', 'vm-0001', 'vm-0002', 'vm-0003']))

  assert.equal(await requestState(machines, 'vm-0002', 2), '4096')
  const later = await enumerate()
  assert.equal(named(later, 'vm-0002')?.element('EnabledState')?.text(), '2')
  assert.deepEqual(bugs, [])
})

test('python3-winrm reads faults that are sealed', async () => {
  await open({})

  const { status, text } = await peer.ask('send', {
    envelope: envelope(
      VMS.replace('Msvm_ComputerSystem', 'Msvm_Nothing'),
      `${ENUMERATION}/Enumerate`,
      enumeration('Enumerate', ''),
    ),
  })

  assert.equal(status, 500)
  assert.match(String(text), /<s:Fault>/)
})

test('python3-winrm over TLS seals, or does not, and says of the channel what is true', async () => {
  for (const encryption of ['always', 'auto']) {
    await open({ url: urlOf(1), encryption })
    assert.equal((await enumerate()).length, 4)
  }
})

test('python3-winrm is refused in clear text, and with a wrong password', async () => {
  const asked = { envelope: envelope(VMS, `${ENUMERATION}/Enumerate`, enumeration('Enumerate', BATCH)) }

  await open({ encryption: 'never' })
  assert.deepEqual(await peer.ask('send', asked), { status: 401, text: '' })
  await open({ password: 'wrong' })
  assert.deepEqual(await peer.ask('send', asked), { status: 401, text: '' })
  await open({ transport: 'plaintext', encryption: 'auto' })
  assert.deepEqual(await peer.ask('send', asked), { status: 401, text: '' })
})

test('what python3-winrm sealed is refused once it was altered, and when it comes a second time', async () => {
  const asked = { envelope: envelope(VMS, `${ENUMERATION}/Enumerate`, enumeration('Enumerate', BATCH)) }

  for (const misdeed of ['tamper', 'replay']) {
    await open({})
    assert.equal((await peer.ask('send', asked))['status'], 200)
    assert.deepEqual(await peer.ask(misdeed, asked), { status: 400, text: '' }, misdeed)
    assert.equal(
      (await peer.ask('tamper', asked))['status'],
      401,
      'the connection has ended, and the next one is nobody’s',
    )
  }
})

function urlOf(listener: number): string {
  return `${host.urls[listener] ?? ''}/wsman`
}

async function open(options: Readonly<Record<string, string>>): Promise<void> {
  await peer.ask('open', { url: urlOf(0), user: 'Administrator', password: PASSWORD, ...options })
}

async function send(text: string): Promise<XmlElement> {
  const answer = await peer.ask('send', { envelope: text })
  assert.equal(answer['status'], 200, String(answer['text']))
  return parseXml(Buffer.from(String(answer['text'])))
}

/** Everything, in batches. */
async function enumerate(): Promise<XmlElement[]> {
  const first = await send(envelope(VMS, `${ENUMERATION}/Enumerate`, enumeration('Enumerate', BATCH)))
  const items = itemsOf(first)
  let context = find(first, 'EnumerationContext')[0]?.text() ?? ''
  while (context !== '') {
    const asked = `<n:EnumerationContext>${context}</n:EnumerationContext><n:MaxElements>20</n:MaxElements>`
    const next = await send(envelope(VMS, `${ENUMERATION}/Pull`, enumeration('Pull', asked)))
    items.push(...itemsOf(next))
    context = find(next, 'EnumerationContext')[0]?.text() ?? ''
  }
  return items
}

async function requestState(machines: readonly XmlElement[], name: string, state: number): Promise<string | undefined> {
  const key = named(machines, name)?.element('Name')?.text() ?? ''
  const selectors =
    '<w:SelectorSet><w:Selector Name="CreationClassName">Msvm_ComputerSystem</w:Selector>' +
    `<w:Selector Name="Name">${key}</w:Selector></w:SelectorSet>`
  const input = `<m:RequestStateChange_INPUT xmlns:m="${VMS}"><m:RequestedState>${state}</m:RequestedState></m:RequestStateChange_INPUT>`
  const answer = await send(envelope(VMS, `${VMS}/RequestStateChange`, input, true, selectors))
  return find(answer, 'ReturnValue')[0]?.text()
}

function named(machines: readonly XmlElement[], name: string): XmlElement | undefined {
  return machines.find(machine => machine.element('ElementName')?.text() === name)
}

function itemsOf(answer: XmlElement): XmlElement[] {
  return find(answer, 'Items').flatMap(items => items.elements())
}

function find(element: XmlElement, name: string): XmlElement[] {
  return element.elements().flatMap(child => (child.name === name ? [child] : find(child, name)))
}

function enumeration(operation: string, content: string): string {
  return `<n:${operation} xmlns:n="${ENUMERATION}">${content}</n:${operation}>`
}

/** As working clients of WinRM write it. */
function envelope(resource: string, action: string, body: string, hasHeaders = true, selectors = ''): string {
  const header =
    `<a:To>${urlOf(0)}</a:To><w:ResourceURI s:mustUnderstand="true">${resource}</w:ResourceURI>` +
    '<a:ReplyTo><a:Address s:mustUnderstand="true">' +
    'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>' +
    `<a:Action s:mustUnderstand="true">${action}</a:Action>` +
    '<w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize>' +
    `<a:MessageID>uuid:11111111-2222-3333-4444-555555555555</a:MessageID><w:OperationTimeout>PT60.000S</w:OperationTimeout>${selectors}`
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' +
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" ' +
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">' +
    `<s:Header>${hasHeaders ? header : ''}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  )
}
