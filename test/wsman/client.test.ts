import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WsmanClient } from '../../src/protocols/wsman/client.ts'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { wql } from '../../src/protocols/wsman/wql.ts'
import { answerTo, enumerated, faultWith, type Step, ScriptedHost, scripted, V2, vm } from './client-script.ts'

const VM = reference('root/virtualization/v2', 'Msvm_ComputerSystem', { Name: 'one' })
const IDENTITY = 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd'

/** The answer of a method. */
function output(method: string, content: string): string {
  return `<p:${method}_OUTPUT xmlns:p="${V2}/Msvm_ComputerSystem">${content}</p:${method}_OUTPUT>`
}

test('Identify tells who answers', async () => {
  const { client, host } = scripted([
    () =>
      `<i:IdentifyResponse xmlns:i="${IDENTITY}"><i:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</i:ProtocolVersion><i:ProductVendor>Microsoft Corporation</i:ProductVendor><i:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</i:ProductVersion><i:SecurityProfiles><i:SecurityProfileName>http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/spnego-kerberos</i:SecurityProfileName></i:SecurityProfiles></i:IdentifyResponse>`,
  ])

  const identity = await client.identify()

  assert.equal(identity.productVendor, 'Microsoft Corporation')
  assert.equal(identity.osVersion, '10.0.20348')
  assert.equal(identity.stackVersion, '3.0')
  assert.equal(identity.protocolVersion, 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd')
  assert.equal(identity.securityProfiles.length, 1)
  assert.equal(host.asked[0]?.options.isAnonymous, undefined)
})

test('Identify may be asked without credentials, and then tells less', async () => {
  const { client, host } = scripted([
    () =>
      `<i:IdentifyResponse xmlns:i="${IDENTITY}"><i:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse>`,
  ])

  const identity = await client.identify({ isAnonymous: true })

  assert.equal(host.asked[0]?.options.isAnonymous, true)
  assert.equal(identity.osVersion, undefined)
  assert.deepEqual(identity.securityProfiles, [])
})

test('Get gives an instance, and a fault where there is none', async () => {
  const { client } = scripted([() => vm('one'), () => faultWith('a:DestinationUnreachable')])

  assert.equal((await client.get(VM)).string('Name'), 'one')
  await assert.rejects(client.get(VM), { name: 'WsmanFault', kind: 'not-found' })
})

test('Put gives what the instance is then, where the host tells', async () => {
  const { client } = scripted([() => vm('two'), () => ''])

  assert.equal((await client.put(VM, { ElementName: 'two' }))?.string('Name'), 'two')
  assert.equal(await client.put(VM, { ElementName: 'two' }), undefined)
})

test('Create gives a reference to what was made', async () => {
  const made = `<x:ResourceCreated><a:Address/><a:ReferenceParameters><w:ResourceURI>${V2}/Msvm_X</w:ResourceURI><w:SelectorSet><w:Selector Name="Name">n</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>`
  const { client } = scripted([() => made])

  const to = await client.create('Msvm_X', { Name: 'n' })

  assert.deepEqual([to.className, to.key('Name')], ['Msvm_X', 'n'])
})

test('Delete is answered with nothing', async () => {
  const { client, host } = scripted([() => ''])

  await client.delete(VM)

  assert.deepEqual(host.actions, ['Delete'])
})

// Proves: hypervInvokeMethodXml
test('a method gives its return value and what comes out, whatever the case of its name', async () => {
  const { client } = scripted([
    () => output('RequestStateChange', '<p:Job xsi:nil="true"/><p:ReturnValue>32775</p:ReturnValue>'),
  ])

  const { returnValue, output: out } = await client.invoke(VM, 'requeststatechange', { RequestedState: 2 })

  assert.equal(returnValue, 32_775)
  assert.equal(out.isNull('Job'), true)
})

test('an answer to a method that is none is not taken for one', async () => {
  const wrong = [
    '',
    output('Other', '<p:ReturnValue>0</p:ReturnValue>'),
    output('X', ''),
    output('X', '<p:ReturnValue xsi:nil="true"/>'),
  ]
  for (const answer of wrong) {
    const { client } = scripted([() => answer])

    await assert.rejects(client.invoke(VM, 'X'), { name: 'WsmanReplyError', kind: 'garbage' })
  }
})

test('answers in UTF-16 are read, with and without a byte order mark', async () => {
  const text = (asked: { readonly messageId: string }) => answerTo(asked, vm('仮想マシン'))
  const little = (prefix: string) => (asked: { readonly messageId: string }) =>
    Buffer.from(prefix + text(asked), 'utf16le')
  const steps: readonly Step[] = [
    little('\ufeff'),
    little(''),
    little('\ufeff<?xml version="1.0" encoding="utf-16"?>'),
    asked => Buffer.from(`\ufeff${text(asked)}`, 'utf16le').swap16(),
    asked => Buffer.from(text(asked), 'utf16le').swap16(),
    asked => Buffer.from(`\ufeff<?xml version="1.0" encoding="utf-8"?>${text(asked)}`),
  ]
  for (const step of steps) {
    const { client } = scripted([step])

    assert.equal((await client.get(VM)).string('Name'), '仮想マシン')
  }
})

test('what is no answer is refused with the declared error', async () => {
  const broken: readonly Step[] = [
    () => Buffer.alloc(0),
    () => Buffer.from('<html><body>Bad Request</body></html>'),
    () => Buffer.from('<s:Envelope xmlns:s="urn:other"><s:Body/></s:Envelope>'),
    asked => Buffer.from(answerTo(asked, vm('one')).replace('</s:Body>', '')),
    () => '<s:Fault><s:Reason/></s:Fault>',
    () => '',
    () => Buffer.from([0xff, 0xfe, 0x3c]),
    () => Buffer.from([0x3c, 0x00]),
  ]
  for (const step of broken) {
    const { client } = scripted([step])

    await assert.rejects(client.get(VM), { name: 'WsmanReplyError', kind: 'garbage' })
  }
})

test('an answer beyond the bounds is refused as one', async () => {
  const deep = `${'<d>'.repeat(70)}${'</d>'.repeat(70)}`
  for (const step of [() => Buffer.alloc(9 * 1024 * 1024, 0x20), () => deep, () => '<d/>'.repeat(200_000)]) {
    const { client } = scripted([step])

    await assert.rejects(client.get(VM), { name: 'WsmanReplyError', kind: 'limit' })
  }
})

test('a name that is none is refused before anything is sent', async () => {
  const { client, host } = scripted([() => ''])

  await assert.rejects(client.invoke(VM, 'Request State'), { name: 'CimError' })
  await assert.rejects(client.invoke(VM, 'X', { 'a:b': 1 }), { name: 'CimError' })
  await assert.rejects(client.invoke(VM, 'X', { A: 'a\u{0}' }), { name: 'CimError' })
  await assert.rejects(client.invoke(VM, 'X', { A: Number.NaN }), { name: 'CimError' })
  await assert.rejects(client.query('SELECT * FROM Msvm_X'), { name: 'CimError' })
  await assert.rejects(client.query(wql`SELECT * FROM X WHERE A = ${'\u{1}'}`), { name: 'CimError' })
  await assert.rejects(client.query({ className: 'X', where: { A: 1 }, polymorphism: 'none' }), { name: 'CimError' })
  await assert.rejects(client.query('X', { namespace: '../config' }), { name: 'CimError' })
  assert.throws(() => new WsmanClient(host, { namespace: 'root v2' }), { name: 'CimError' })
  for (const maxEnvelopeBytes of [8_000, 8_192.5, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new WsmanClient(host, { maxEnvelopeBytes }), { name: 'CimError' })
  }
  assert.equal(host.asked.length, 0)
})

test('a time-out that is none is refused before anything is sent', async () => {
  const { client, host } = scripted([() => vm('one')])

  for (const timeoutMs of [0, -1, 0.2, Number.NaN]) {
    await assert.rejects(client.get(VM, { timeoutMs }), { name: 'CimError' })
    await assert.rejects(client.identify({ timeoutMs }), { name: 'CimError' })
  }
  assert.equal(host.asked.length, 0)
  assert.equal((await client.get(VM, { timeoutMs: Number.POSITIVE_INFINITY })).string('Name'), 'one')
})

test('references that hold themselves are refused, sent or received', async () => {
  const nested = (depth: number): ReturnType<typeof reference> =>
    reference('root/cimv2', 'X', { Inner: depth === 0 ? 'end' : nested(depth - 1) })
  const { client, host } = scripted([() => vm('one')])

  await client.get(nested(8))
  await assert.rejects(client.get(nested(9)), { name: 'CimError' })
  assert.equal(host.asked.length, 1)
})

test('the namespace is the one of the call, or that of the client', async () => {
  const { client, host } = scripted([() => enumerated([])])

  await client.query('Msvm_X')
  await client.query('Win32_X', { namespace: 'root\\cimv2' })
  await client.associators(reference('root/other', 'X', { A: 1 }))
  await client.references(reference('root/other', 'X', { A: 1 }), { resultClass: 'Y' })

  const uris = host.asked.map(({ envelope }) => envelope.elements('Header')[0]?.elements('ResourceURI')[0]?.text())
  const wmi = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/'
  assert.deepEqual(uris, [`${V2}/Msvm_X`, `${wmi}root/cimv2/Win32_X`, `${wmi}root/other/*`, `${wmi}root/other/*`])
  assert.match(host.asked[3]?.text ?? '', /REFERENCES OF \{X\.A=1\} WHERE ResultClass = Y</)
})

test('the host is told to give up before we do, and never asked for more time than it has', async () => {
  const { client, host } = scripted([() => vm('one')])

  await client.get(VM, { timeoutMs: 2_000 })
  await client.get(VM, { timeoutMs: 300_000 })
  await client.get(VM)

  const told = host.asked.map(({ text, options }) => [/PT[\d.]+S/.exec(text)?.[0], options.timeoutMs])
  assert.deepEqual(told, [
    ['PT2.000S', 7_000],
    ['PT60.000S', 305_000],
    ['PT60.000S', 65_000],
  ])
})

test('a client that is closed asks no more, however often it is closed', async () => {
  const { client, host } = scripted([() => vm('one')])

  await client.close()
  await client.close()

  assert.equal(host.isClosed, true)
  await assert.rejects(client.get(VM), { name: 'TransportError', kind: 'closed' })
})

test('a client asks for what its options say', async () => {
  const host = new ScriptedHost([() => vm('one')])
  const client = new WsmanClient(host, { locale: 'fr-FR', maxEnvelopeBytes: 153_600, timeoutMs: 1_000 })

  await client.get(VM)

  const text = host.asked[0]?.text ?? ''
  assert.match(text, /<w:Locale xml:lang="fr-FR" s:mustUnderstand="false"\/><p:DataLocale xml:lang="fr-FR"/)
  assert.match(text, />153600</)
  assert.match(text, />PT1\.000S</)
  assert.doesNotMatch(text, /SessionId/)
})
