import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  makeScramKeys,
  parseScramKeys,
  pretendedScramKeys,
  saslPrepared,
  ScramError,
  type ScramKeys,
  scramKeysText,
  ScramServer,
} from '../../src/wire/scram/index.ts'
import { ScramClient } from '../support/scram-client.ts'

const ITERATIONS = 4096
// Source: RFC 7677 §3.
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'

async function keysOf(password: string, salt?: Buffer): Promise<ScramKeys> {
  const keys = await makeScramKeys(password, ITERATIONS, salt)
  assert.ok(keys !== undefined)
  return keys
}

const pencil = await keysOf('pencil', SALT)

describe('SCRAM-SHA-256', () => {
  test('goes as in the example of RFC 7677', () => {
    const server = new ScramServer(NONCE)

    const challenge = server.challenge(Buffer.from('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'), () => pencil)
    const signature = server.signature(
      Buffer.from(`c=biws,r=rOprNGfwEbeRWgbNEkqO${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`),
    )

    assert.equal(challenge, `r=rOprNGfwEbeRWgbNEkqO${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
    assert.equal(signature, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
    assert.equal(server.name, 'user')
  })

  test('lets in whoever knows the password and nobody else, and shows that it knows it too', async () => {
    const keys = await keysOf('päss wörd')
    const [known, wrong] = ['päss wörd', 'päss word'].map(password => {
      const [server, client] = [new ScramServer(), new ScramClient('a,=b', password)]
      const challenge = server.challenge(client.first(), name => {
        assert.equal(name, 'a,=b')
        return keys
      })
      const signature = server.signature(client.last(challenge))
      return signature !== undefined && client.trusts(signature)
    })

    assert.deepEqual([known, wrong], [true, false])
  })

  const spoiled: ReadonlyArray<readonly [string, (message: string) => string]> = [
    ['another nonce', message => message.replace(',r=r', ',r=R')],
    ['another beginning', message => message.replace('c=biws', 'c=eSws')],
    ['no proof', message => message.replace(/,p=.*/, '')],
    ['a proof of another length', message => message.replace(/,p=.*/, ',p=AAAA')],
  ]
  for (const [what, change] of spoiled) {
    test(`refuses ${what}`, () => {
      const [server, client] = [new ScramServer(), new ScramClient('user', 'pencil')]
      const challenge = server.challenge(client.first(), () => pencil)

      assert.throws(() => server.signature(client.last(challenge, change)), ScramError)
    })
  }

  const refused: ReadonlyArray<readonly [string, string]> = [
    ['a channel binding', 'p=tls-exporter,,n=user,r=abc'],
    ['an extension that must be understood', 'n,,m=x,n=user,r=abc'],
    ['acting as somebody else', 'n,a=root,n=user,r=abc'],
    ['a name with a wrong escape', 'n,,n=us=er,r=abc'],
    ['no name', 'n,,n=,r=abc'],
    ['a nonce that cannot be printed', 'n,,n=user,r=a b'],
    ['a name with a control character', 'n,,n=us\u0085er,r=abc'],
    ['a message without end', `n,,n=user,r=${'a'.repeat(5000)}`],
  ]
  for (const [what, message] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(() => new ScramServer().challenge(Buffer.from(message), () => pencil), ScramError)
    })
  }

  test('takes a client that could bind channels, and one that names itself twice', () => {
    for (const header of ['y,,', 'n,a=user,']) {
      const [server, client] = [new ScramServer(), new ScramClient('user', 'pencil', 'abc', header)]
      assert.ok(server.signature(client.last(server.challenge(client.first(), () => pencil))), header)
    }
  })

  test('has one order of messages', () => {
    const [server, client] = [new ScramServer(), new ScramClient('user', 'pencil')]

    assert.throws(() => server.signature(Buffer.from('')), ScramError)
    server.challenge(client.first(), () => pencil)
    assert.throws(() => server.challenge(client.first(), () => pencil), ScramError)
  })

  test('throws nothing but its own error, whatever comes', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map(raw => Buffer.from(raw)),
      fc.string({ unit: fc.constantFrom(...Array.from('ny,=ampcr2CD3/+ü\0')) }).map(raw => Buffer.from(raw)),
      fc.string({ unit: fc.constantFrom(...Array.from(',=pcr2Abiws\0')) }).map(raw => Buffer.from(`c=biws,r=${raw}`)),
    )
    fc.assert(
      fc.property(noise, noise, (first, last) => {
        const server = new ScramServer('N')
        const dare = (act: () => unknown) => {
          try {
            return act()
          } catch (error) {
            assert.ok(error instanceof ScramError, String(error))
            return undefined
          }
        }
        dare(() => server.challenge(first, () => pencil))
        assert.equal(
          dare(() => server.signature(last)),
          undefined,
        )
        const second = new ScramServer('N')
        second.challenge(Buffer.from('n,,n=a,r=r'), () => pencil)
        assert.equal(
          dare(() => second.signature(last)),
          undefined,
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the keys of passwords', () => {
  test('are read as they were written, and from nothing else', () => {
    const text = scramKeysText(pencil)

    assert.deepEqual(parseScramKeys(text), pencil)
    for (const other of ['', 'x', text.slice(1), text.replace('4096', '4095'), `${text}=`, text.replace(':', '!')]) {
      assert.equal(parseScramKeys(other), undefined, other)
    }
  })

  test('have a salt of their own each time', async () => {
    const [one, other] = [await keysOf('same'), await keysOf('same')]

    assert.notDeepEqual(one.salt, other.salt)
    assert.notDeepEqual(one.storedKey, other.storedKey)
  })

  test('of somebody unknown are the same each time, and others for each name', () => {
    const [ada, again, bob] = ['ada', 'ada', 'bob'].map(name => pretendedScramKeys(name, pencil))

    assert.deepEqual(ada, again)
    assert.notDeepEqual(ada?.salt, bob?.salt)
    assert.equal(ada?.salt.length, pencil.salt.length)
  })
})

describe('the one form of a text', () => {
  test('is that of RFC 4013', () => {
    const cases: ReadonlyArray<readonly [string, string | undefined]> = [
      ['I\u00adX', 'IX'],
      ['user', 'user'],
      ['USER', 'USER'],
      ['\u00aa', 'a'],
      ['\u2168', 'IX'],
      ['\u0007', undefined],
      ['a\u00a0b', 'a b'],
      ['e\u0301', '\u00e9'],
      ['\ud800', undefined],
      ['\u0378', undefined],
      ['\ue000', undefined],
      ['a\u202eb', undefined],
      ['', ''],
    ]
    for (const [text, expected] of cases) assert.equal(saslPrepared(text), expected, JSON.stringify(text))
  })

  test('is left as it is when it is looked for again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x31ff }), { maxLength: 20 }), codes => {
        const text = String.fromCodePoint(...codes)
        const prepared = saslPrepared(text)
        if (prepared !== undefined) assert.equal(saslPrepared(prepared), prepared)
      }),
    )
  })
})
