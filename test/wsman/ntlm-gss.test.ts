import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { AuthMechanism } from '../../src/protocols/wsman/auth-mechanism.ts'
import { Ntlm, type NtlmOptions } from '../../src/protocols/wsman/ntlm.ts'
import { Spnego } from '../../src/protocols/wsman/spnego.ts'
import { bytes, GssPeer, hex } from './ntlm-peer.ts'

const SIGNATURE_BYTES = 16
const PASSWORD = 'the password of alice, ü€𝄞'

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-ntlm-'))
const users = join(folder, 'users')
writeFileSync(users, `DOM:alice:${PASSWORD}\n`)
after(() => rmSync(folder, { recursive: true }))

const ntlm = (options: Partial<NtlmOptions> = {}) =>
  new Ntlm({
    user: 'alice',
    domain: 'DOM',
    password: () => PASSWORD,
    targetName: 'HTTP/localhost',
    workstation: 'HERE',
    ...options,
  })

/** How the two sides name what they speak, and ours. */
const WRAPPINGS = {
  ntlm: (options?: Partial<NtlmOptions>) => ntlm(options),
  spnego: (options?: Partial<NtlmOptions>) => new Spnego(ntlm(options)),
} as const

async function authenticate(peer: GssPeer, ours: AuthMechanism): Promise<void> {
  for (let token: Uint8Array | undefined = await ours.begin(); token !== undefined; ) {
    const answer = await peer.accept(token)
    token = answer && (await ours.next(answer))
  }
}

for (const [wrapping, make] of Object.entries(WRAPPINGS)) {
  describe(`gss-ntlmssp and ${wrapping}`, () => {
    const start = async (request: Readonly<Record<string, unknown>> = {}) => {
      const peer = new GssPeer({ NTLM_USER_FILE: users })
      await peer.ask('start', { mechanisms: [wrapping], ...request })
      return peer
    }

    test('accepts us, and both sides read what the other seals', async () => {
      using peer = await start()
      const ours = make()

      await authenticate(peer, ours)

      assert.ok(ours.isComplete)
      assert.match((await peer.ask('who')).name ?? '', /^DOM\\alice/)
      for (const message of ['first', '', 'long '.repeat(20_000), 'last']) {
        assert.equal(await peer.unwrap(await ours.seal(Buffer.from(message))), message)
        const answer = await ours.unseal(await peer.wrap(`${message}!`, SIGNATURE_BYTES))
        assert.equal(Buffer.from(answer).toString(), `${message}!`)
      }
    })

    test('reads several of our messages before it answers, and we several of its', async () => {
      using peer = await start()
      const ours = make()
      await authenticate(peer, ours)

      for (const message of ['one', 'two', 'three']) {
        assert.equal(await peer.unwrap(await ours.seal(Buffer.from(message))), message)
      }

      for (const message of ['four', 'five']) {
        assert.equal(Buffer.from(await ours.unseal(await peer.wrap(message, SIGNATURE_BYTES))).toString(), message)
      }
    })

    test('refuses another password', async () => {
      using peer = await start()

      await assert.rejects(authenticate(peer, make({ password: () => 'another' })))
    })

    test('refuses a message that was changed on its way', async () => {
      using peer = await start()
      const ours = make()
      await authenticate(peer, ours)
      const { signature, data } = await ours.seal(Buffer.from('pay 10'))

      await assert.rejects(peer.unwrap({ signature, data: data.map((byte, at) => (at === 4 ? byte ^ 8 : byte)) }))
    })

    test('is found out where its message was changed on its way', async () => {
      using peer = await start()
      const ours = make()
      await authenticate(peer, ours)
      const { signature, data } = await peer.wrap('paid 10', SIGNATURE_BYTES)
      data[5] = (data[5] ?? 0) ^ 8

      await assert.rejects(ours.unseal({ signature, data }), { name: 'AuthError', failure: 'malformed' })
    })

    test('accepts us over the TLS channel that both see', async () => {
      const channelBinding = Buffer.concat([Buffer.from('tls-server-end-point:'), Buffer.alloc(32, 7)])
      using peer = await start({ binding: hex(channelBinding) })
      const ours = make({ channelBinding })

      await authenticate(peer, ours)

      assert.ok(ours.isComplete)
    })

    test('refuses us where the other end of the channel is another', async () => {
      const channelBinding = Buffer.concat([Buffer.from('tls-server-end-point:'), Buffer.alloc(32, 7)])
      using peer = await start({ binding: hex(Buffer.from('tls-server-end-point: another')) })

      await assert.rejects(authenticate(peer, make({ channelBinding })))
    })
  })
}

test('gss-ntlmssp finds out where what we offered was changed on its way', async () => {
  using peer = new GssPeer({ NTLM_USER_FILE: users })
  await peer.ask('start', { mechanisms: ['ntlm'] })
  const ours = ntlm()
  const offered = Buffer.from(await ours.begin())
  // The name of our version, which decides nothing: only the check over all messages holds it.
  offered[32] = (offered[32] ?? 0) ^ 1

  const challenge = await peer.accept(offered)
  const answer = await ours.next(challenge ?? bytes(''))

  await assert.rejects(peer.accept(answer ?? bytes('')))
})

test('gss-ntlmssp finds out where its list of mechanisms was signed with another key', async () => {
  using peer = new GssPeer({ NTLM_USER_FILE: users })
  await peer.ask('start', { mechanisms: ['spnego'] })
  const ours = new Spnego(ntlm())
  const challenge = await peer.accept(await ours.begin())
  const answer = Buffer.from((await ours.next(challenge ?? bytes(''))) ?? '')
  // The checksum within the signature, which stands last.
  answer[answer.length - 6] = (answer[answer.length - 6] ?? 0) ^ 1

  await assert.rejects(peer.accept(answer))
})
