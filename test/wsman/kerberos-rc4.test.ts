import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Kerberos } from '../../src/protocols/wsman/kerberos.ts'
import { readSealed } from '../../src/protocols/wsman/multipart.ts'
import { sealEnvelope } from '../../src/protocols/wsman/sealing.ts'
import { PASSWORD, REALM, Realm, USER } from './kerberos-realm.ts'
import { bytes, GssPeer, hex } from './ntlm-peer.ts'

// The oldest hosts know no AES, and RC4 in Kerberos is the one cipher that pads.
const realm = new Realm()
before(async () => {
  await realm.start('arcfour-hmac')
  Object.assign(process.env, realm.environment)
})
after(() => realm[Symbol.asyncDispose]())

test('messages of a realm with RC4 are padded, say so in their length, and are read both ways', async () => {
  using peer = new GssPeer({ ...realm.environment, KRB5_KTNAME: realm.serviceKeytab })
  await peer.ask('start', { mechanisms: ['kerberos'] })
  const ours = new Kerberos({
    host: 'localhost',
    service: 'HTTP',
    user: `${USER}@${REALM}`,
    password: () => PASSWORD,
  })
  await ours.next((await peer.accept(await ours.begin())) ?? bytes(''))

  const { contentType, body } = await sealEnvelope(
    ours,
    'application/HTTP-Kerberos-session-encrypted',
    Buffer.from('seventeen letters'),
  )
  const { signature, data, length } = readSealed(contentType, body)
  const taken = await peer.unwrap({ signature, data })
  const answer = await peer.ask('wrap_iov', { message: hex(Buffer.from('an answer')) })
  const read = await ours.unseal({ signature: bytes(answer.header ?? ''), data: bytes(answer.data ?? '') })

  assert.equal(data.length, 18)
  assert.equal(length, 18)
  assert.equal(taken, 'seventeen letters')
  assert.equal(bytes(answer.data ?? '').length, 10)
  assert.equal(Buffer.from(read).toString(), 'an answer')
  ours.dispose()
})
