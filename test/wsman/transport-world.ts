import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { httpTransport } from '../../src/protocols/wsman/http-transport.ts'
import type { WsmanTarget } from '../../src/protocols/wsman/target.ts'
import type { PostOptions, Transport, TransportErrorKind } from '../../src/protocols/wsman/transport.ts'
import { FakeHost, type HostOptions, PASSWORD } from './transport-host.ts'

/** Longer than anything takes. */
export const PATIENT = { timeoutMs: 20_000 } as const

/** A host and a transport to it. */
export async function world(host: HostOptions = {}, differences: Partial<WsmanTarget> = {}) {
  const fake = await new FakeHost(host).listen()
  const target: WsmanTarget = {
    url: fake.url,
    auth: 'negotiate',
    user: 'DOM\\alice',
    password: () => PASSWORD,
    ...differences,
  }
  const transport = httpTransport(target)
  return {
    fake,
    target,
    transport,
    async [Symbol.asyncDispose]() {
      transport.close()
      await fake[Symbol.asyncDispose]()
    },
  }
}

/** Posts a text and reads the answer as one. */
export async function post(
  transport: Transport,
  envelope: string,
  options: Partial<PostOptions> = {},
): Promise<string> {
  const { body } = await transport.post(Buffer.from(envelope), { ...PATIENT, ...options })
  return Buffer.from(body).toString()
}

/** What a post is rejected with: its kind, and whether the host may have acted. */
export function failure(kind: TransportErrorKind, wasSent: boolean) {
  return { name: 'TransportError', kind, wasSent } as const
}

/** All that can be seen of what a promise was rejected with, which has to be as expected. */
export async function seenOf(promise: Promise<unknown>, expected: object): Promise<string> {
  const error: unknown = await promise.then(
    () => assert.fail('it was not rejected'),
    (reason: unknown) => reason,
  )
  assert.throws(() => {
    throw error
  }, expected)
  return inspect(error, { depth: 20, showHidden: true })
}
