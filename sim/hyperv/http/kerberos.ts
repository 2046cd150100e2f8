import { type Accounts, type Principal, splitUser } from './accounts.ts'
import type { Channel } from './channel-bindings.ts'
import { CHANNEL_BOUND, CONTINUE_NEEDED, Gssapi } from './gssapi.ts'
import { type Handshake, REFUSED, type Step } from './handshake.ts'
import { type Sealed, SealError, type Sealing } from './sealing.ts'

/** What the host can accept tickets with. */
export interface KerberosService {
  readonly gssapi: Gssapi
  readonly credential: bigint
  readonly accounts: Accounts
}

/** Takes the keys of a service from a keytab. Rejects with a sentence where that cannot be. */
export async function openKerberos(keytab: string, accounts: Accounts): Promise<KerberosService> {
  const gssapi = await Gssapi.load()
  const credential = gssapi.acquireAcceptor(keytab)
  if (credential === undefined) throw new Error(`no keys of a service can be read from ${keytab}`)
  return { gssapi, credential, accounts }
}

/** The server's side of Kerberos, by itself or in SPNEGO. A ticket counts where an account of its name is known. */
export class KerberosAcceptor implements Handshake {
  readonly #service: KerberosService
  readonly #channel: Channel
  #context: bigint | null = null

  constructor(service: KerberosService, channel: Channel) {
    this.#service = service
    this.#channel = channel
  }

  step(token: Buffer): Step {
    const { gssapi, credential, accounts } = this.#service
    const { bindings, hardening } = this.#channel
    const spoken = hardening === 'none' ? undefined : bindings
    const accepted = gssapi.accept(this.#context, credential, token, spoken)
    this.#context = accepted.context
    if (accepted.status === CONTINUE_NEEDED) return { kind: 'continue', token: accepted.token }
    const isBound = (accepted.flags & CHANNEL_BOUND) !== 0
    const isAcceptable = accepted.status === 0 && (isBound || spoken === undefined || hardening === 'relaxed')
    const principal = isAcceptable ? principalOf(accepted.client, accounts) : undefined
    if (principal === undefined || this.#context === null) return REFUSED
    const sealing = new KerberosSealing(gssapi, this.#context)
    this.#context = null
    const answer = accepted.token.length === 0 ? undefined : accepted.token
    return { kind: 'granted', principal, mechanism: 'kerberos', sealing, token: answer }
  }

  end(): void {
    if (this.#context !== null) this.#service.gssapi.deleteContext(this.#context)
    this.#context = null
  }
}

function principalOf(client: string | undefined, accounts: Accounts): Principal | undefined {
  if (client === undefined) return undefined
  const account = accounts.find(splitUser(client))
  return account && { user: account.user, isAdministrator: account.isAdministrator }
}

/** Tokens of this form say in clear which message they are. Source: RFC 4121, §4.2.6.2. */
const CFX_WRAP = 0x0504
const CFX_BYTES = 16
const CFX_SEQUENCE_AT = 8

/** Seals with the keys of a context. */
class KerberosSealing implements Sealing {
  readonly #gssapi: Gssapi
  #context: bigint | null
  #newest: bigint | undefined

  constructor(gssapi: Gssapi, context: bigint) {
    this.#gssapi = gssapi
    this.#context = context
  }

  seal(message: Uint8Array): Sealed {
    const wrapped = this.#context === null ? undefined : this.#gssapi.wrap(this.#context, message)
    if (wrapped === undefined) throw new SealError('cannot be sealed')
    return wrapped
  }

  unseal({ header, data }: Sealed): Buffer {
    this.#count(Buffer.from(header))
    const message =
      this.#context === null ? undefined : this.#gssapi.unwrap(this.#context, Buffer.concat([header, data]))
    if (message === undefined) throw new SealError('not what the client sealed')
    return message
  }

  end(): void {
    if (this.#context !== null) this.#gssapi.deleteContext(this.#context)
    this.#context = null
  }

  /** The library tells repeated messages only where the client asked for it. */
  #count(header: Buffer): void {
    if (header.length < CFX_BYTES || header.readUInt16BE(0) !== CFX_WRAP) return
    const number = header.readBigUInt64BE(CFX_SEQUENCE_AT)
    if (this.#newest !== undefined && number <= this.#newest) throw new SealError('a message that was there before')
    this.#newest = number
  }
}
