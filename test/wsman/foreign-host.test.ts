import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  embedded,
  httpTransport,
  reference,
  typed,
  WsmanClient,
  type WsmanTarget,
  wql,
} from '../../src/protocols/wsman/index.ts'
import { ForeignHost, type ForeignHostOptions } from './foreign-host.ts'
import { PASSWORD as REALM_PASSWORD, Realm, USER } from './kerberos-realm.ts'
import { makeCertificate } from './tls-certificates.ts'

const V2 = 'root/virtualization/v2'
const SERVICE = reference(V2, 'Msvm_VirtualSystemManagementService')
const MACHINES = 7
const PASSWORD = 'the password of alice, ü€'

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-foreign-'))
after(() => rmSync(folder, { recursive: true }))

/** The path of a file with that text. */
function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const users = { NTLM_USER_FILE: file('users', `DOM:alice:${PASSWORD}\n`) }
const ntlm = { auth: 'negotiate', user: 'DOM\\alice', password: () => PASSWORD } as const

/** The host, and a client of it. */
async function world(
  options: Pick<ForeignHostOptions, 'mechanism' | 'scheme' | 'tls'>,
  environment: Readonly<Record<string, string>>,
  target: Omit<WsmanTarget, 'url'>,
) {
  const host = await new ForeignHost({ machines: MACHINES, batch: 3, ...options }, environment).listen()
  const client = new WsmanClient(httpTransport({ ...target, url: host.url }), { namespace: V2, retry: { pauseMs: 1 } })
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close()
      await host[Symbol.asyncDispose]()
    },
  }
}

/** One of everything that a driver does. */
async function converse(client: WsmanClient): Promise<void> {
  assert.equal((await client.identify()).productVendor, 'Nobody of us')

  const machines = await client.query(wql`SELECT * FROM Msvm_ComputerSystem`)
  assert.deepEqual(
    machines.map(machine => machine.string('ElementName')),
    Array.from({ length: MACHINES }, (_, number) => `machine ${number}`),
  )
  assert.deepEqual(machines[0]?.numbers('OperationalStatus'), [2, 32_769])
  assert.equal(machines[0]?.bigint('OnTimeInMilliseconds'), 2n ** 64n - 1n)
  assert.equal(machines[0]?.isNull('Caption'), true)

  const name = `a & b <c> "d" 'e' \\f 仮想`
  const settings = embedded('Msvm_VirtualSystemSettingData', { ElementName: typed('string', name) })
  const { output } = await client.invoke(SERVICE, 'DefineSystem', { SystemSettings: settings })
  assert.equal(output.reference('ResultingSystem')?.key('Name'), name)

  const [made] = await client.queryReferences(wql`SELECT * FROM Msvm_ComputerSystem WHERE Name = ${name}`)
  assert.ok(made)
  assert.equal((await client.get(made)).string('ElementName'), name)
  assert.equal((await client.invoke(made, 'RequestStateChange', { RequestedState: 2 })).returnValue, 0)

  const nobody = reference(V2, 'Msvm_ComputerSystem', { Name: 'nobody' })
  await assert.rejects(client.get(nobody), { name: 'WsmanFault', kind: 'not-found' })
  await assert.rejects(client.invoke(made, 'Nothing'), { name: 'WsmanFault', kind: 'not-supported' })
  await assert.rejects(client.pull('Msvm_ComputerSystem', 'uuid:1'), { name: 'WsmanFault', kind: 'invalid-context' })

  for await (const _ of client.enumerate(wql`SELECT * FROM Msvm_ComputerSystem`)) break
  assert.equal((await client.identify()).productVersion, '0 enumerations')
}

describe('a host that nobody of us wrote, with gss-ntlmssp,', () => {
  for (const mechanism of ['ntlm', 'spnego'] as const) {
    test(`hears us sealed, by ${mechanism}`, async () => {
      await using at = await world({ mechanism, scheme: 'Negotiate' }, users, { ...ntlm, negotiate: mechanism })

      await converse(at.client)
    })

    test(`hears us over TLS, bound to its certificate, by ${mechanism}`, async () => {
      const { cert, key } = await makeCertificate()
      const tls = { cert: file(`${mechanism}.pem`, cert), key: file(`${mechanism}.key`, key) }
      const target = { ...ntlm, negotiate: mechanism, cacert: tls.cert }
      await using at = await world({ mechanism, scheme: 'Negotiate', tls }, users, target)

      await converse(at.client)
    })
  }

  test('hears several calls at once, each over a connection of its own', async () => {
    await using at = await world({ mechanism: 'ntlm', scheme: 'Negotiate' }, users, ntlm)

    const all = await Promise.all(
      Array.from({ length: 12 }, () => at.client.query(wql`SELECT * FROM Msvm_ComputerSystem`)),
    )

    assert.deepEqual(
      all.map(machines => machines.length),
      all.map(() => MACHINES),
    )
  })

  test('does not hear us with a wrong password', async () => {
    const target = { ...ntlm, password: () => 'another' }
    await using at = await world({ mechanism: 'ntlm', scheme: 'Negotiate' }, users, target)

    await assert.rejects(at.client.identify(), { name: 'TransportError', kind: 'refused', wasSent: false })
  })
})

describe('a host that nobody of us wrote, in a Kerberos realm,', () => {
  const realm = new Realm()
  before(async () => {
    await realm.start()
    Object.assign(process.env, realm.environment)
  })
  after(() => realm[Symbol.asyncDispose]())

  for (const [mechanism, scheme] of [
    ['kerberos', 'Kerberos'],
    ['spnego', 'Negotiate'],
  ] as const) {
    test(`hears us sealed, by ${mechanism} under ${scheme}`, async () => {
      const target = {
        auth: 'kerberos',
        user: `${USER}@polyvisor.test`,
        password: () => REALM_PASSWORD,
      } as const
      await using at = await world(
        { mechanism, scheme },
        { ...realm.environment, KRB5_KTNAME: realm.serviceKeytab },
        target,
      )

      await converse(at.client)
    })
  }
})
