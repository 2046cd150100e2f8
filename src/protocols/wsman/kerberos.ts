import { AuthError } from './auth-error.ts'
import type { NegotiableMechanism, SealedMessage } from './auth-mechanism.ts'
import { DerTag } from './der.ts'
import {
  acquireCredentials,
  gssBuffer,
  gssOid,
  importName,
  KERBEROS_OID,
  type KerberosUser,
  releaseHandle,
  SERVICE_NAME_OID,
} from './kerberos-credentials.ts'
import { type GssBuffer, type GssHandle, type GssLibrary, type GssPiece, loadGssLibrary } from './kerberos-library.ts'

/** What a context is to give, and what is demanded of it. Source: RFC 2744, section 2 of annex A, GSS_C_…_FLAG. */
const FLAGS = { mutual: 2, replay: 4, sequence: 8, confidentiality: 16, integrity: 32 } as const
const WANTED_FLAGS = Object.values(FLAGS).reduce((all, flag) => all | flag, 0)
/** The peer has something to say yet. Source: RFC 2744, section 3.9.1, GSS_S_CONTINUE_NEEDED. */
const CONTINUE_NEEDED = 1
/** Kinds of pieces of a sealed message. Source: MIT's gssapi_ext.h, GSS_IOV_BUFFER_TYPE_…. */
const PIECE = { data: 1, header: 2, padding: 9, allocate: 0x0001_0000 } as const

/** Whom we mean to reach, bound to which connection. */
export interface KerberosOptions extends KerberosUser {
  readonly host: string
  /** First part of the host's principal: `HTTP`, or `WSMAN`. */
  readonly service: string
  /** Name and hash of the TLS channel, where there is one. Source: RFC 5929, section 4. */
  readonly channelBinding?: Uint8Array | undefined
}

/**
 * Kerberos 5 by the system's GSSAPI library, the initiator's side. The library does what may wait for the network on
 * threads of its own. Source: RFC 4121; RFC 2744.
 */
export class Kerberos implements NegotiableMechanism {
  readonly oids: readonly string[] = [KERBEROS_OID]
  readonly signsMechanisms = false
  readonly #options: KerberosOptions
  #held: Held | undefined
  #isComplete = false
  #isDisposed = false
  /** The call under way: the library does not take two for one context, and what it works on must not be released. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: KerberosOptions) {
    this.#options = options
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  begin(): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const library = await loadGssLibrary()
      const held: Held = { library, credentials: null, name: null, context: [null] }
      this.#held = held
      const { service, host } = this.#options
      held.credentials = await acquireCredentials(library, this.#options)
      held.name = await importName(library, `${service}@${host}`, SERVICE_NAME_OID)
      const token = await this.#step(held, new Uint8Array(0))
      if (token === undefined) throw new AuthError('refused', 'Kerberos has nothing to say to the host')
      return token
    })
  }

  next(token: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#inTurn(async () => {
      if (this.#isComplete) throw new AuthError('malformed', 'the host goes on where Kerberos has ended')
      return this.#step(this.#hold(), token)
    })
  }

  seal(message: Uint8Array): Promise<SealedMessage> {
    return this.#inTurn(async () => {
      const { library, context } = this.#agreed()
      const data = gssBuffer(Uint8Array.from(message))
      const pieces: GssPiece[] = [
        { type: PIECE.header | PIECE.allocate, buffer: { length: 0, value: null } },
        { type: PIECE.data, buffer: data },
        { type: PIECE.padding | PIECE.allocate, buffer: { length: 0, value: null } },
      ]
      const isEncrypted = [0]
      await library.call('gss_wrap_iov', context[0], 1, 0, isEncrypted, pieces, pieces.length)
      const [signature, encrypted, padding] = pieces.map(piece => library.copy(piece.buffer))
      await library.call('gss_release_iov_buffer', pieces, pieces.length)
      if (isEncrypted[0] !== 1) throw new AuthError('refused', 'Kerberos does not encrypt')
      return {
        signature: signature ?? new Uint8Array(0),
        data: Buffer.concat([encrypted ?? new Uint8Array(0), padding ?? new Uint8Array(0)]),
      }
    })
  }

  unseal({ signature, data }: SealedMessage): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const { library, context } = this.#agreed()
      const pieces: GssPiece[] = [
        { type: PIECE.header, buffer: gssBuffer(Uint8Array.from(signature)) },
        { type: PIECE.data, buffer: gssBuffer(Uint8Array.from(data)) },
        // Its length is not told; where there is any, it is left at the end of the data.
        { type: PIECE.padding, buffer: { length: 0, value: null } },
      ]
      const isEncrypted = [0]
      const status = await library.call('gss_unwrap_iov', context[0], isEncrypted, [0], pieces, pieces.length)
      // Success with an addition says that the message is old, repeated, or that others before it are missing.
      if (status !== 0) throw new AuthError('malformed', 'a message came twice, late, or instead of another')
      if (isEncrypted[0] !== 1) throw new AuthError('malformed', 'a message came that was not encrypted')
      return withoutPadding(library.copy(pieces[1]?.buffer ?? { length: 0, value: null }), signature)
    })
  }

  signMechanisms(list: Uint8Array): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const { library, context } = this.#agreed()
      const mic: GssBuffer = { length: 0, value: null }
      await library.call('gss_get_mic', context[0], 0, gssBuffer(list), mic)
      return this.#take(library, mic)
    })
  }

  verifyMechanisms(list: Uint8Array, mic: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const { library, context } = this.#agreed()
      const status = await library.call('gss_verify_mic', context[0], gssBuffer(list), gssBuffer(mic), [0])
      if (status !== 0) throw new AuthError('malformed', 'the signature of the mechanisms came twice or late')
    })
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#isComplete = false
    this.#last = this.#last.then(() => this.#release()).catch(() => undefined)
  }

  async #step({ library, credentials, context, name }: Held, token: Uint8Array): Promise<Uint8Array | undefined> {
    const answer: GssBuffer = { length: 0, value: null }
    const flags = [0]
    const status = await library.call(
      'gss_init_sec_context',
      credentials,
      context,
      name,
      gssOid(KERBEROS_OID),
      WANTED_FLAGS,
      0,
      this.#bindings(),
      gssBuffer(token),
      null,
      answer,
      flags,
      null,
    )
    const said = await this.#take(library, answer)
    if (status !== CONTINUE_NEEDED) {
      if (((flags[0] ?? 0) & WANTED_FLAGS) !== WANTED_FLAGS) {
        throw new AuthError('refused', 'the host does not agree to prove itself and to encrypt')
      }
      this.#isComplete = true
    }
    return said.length === 0 ? undefined : said
  }

  /** `gss_channel_bindings_struct`. Source: RFC 2744, section 3.11. */
  #bindings(): unknown {
    const { channelBinding } = this.#options
    if (channelBinding === undefined) return null
    const none = { length: 0, value: null }
    return {
      initiatorType: 0,
      initiator: none,
      acceptorType: 0,
      acceptor: none,
      application: gssBuffer(channelBinding),
    }
  }

  async #take(library: GssLibrary, buffer: GssBuffer): Promise<Uint8Array> {
    const bytes = library.copy(buffer)
    await library.call('gss_release_buffer', buffer)
    return bytes
  }

  async #release(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    if (held === undefined) return
    await releaseHandle(held.library, 'gss_delete_sec_context', held.context[0])
    await releaseHandle(held.library, 'gss_release_name', held.name)
    await releaseHandle(held.library, 'gss_release_cred', held.credentials)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#isDisposed) throw new AuthError('refused', 'the Kerberos session has ended')
      return work()
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  #hold(): Held {
    if (this.#held === undefined) throw new AuthError('refused', 'Kerberos has not begun')
    return this.#held
  }

  #agreed(): Held {
    if (!this.#isComplete) throw new AuthError('refused', 'Kerberos has not agreed on keys yet')
    return this.#hold()
  }
}

/** What the library holds for us. */
interface Held {
  readonly library: GssLibrary
  credentials: GssHandle
  name: GssHandle
  /** In an array, because the library writes it. */
  readonly context: [GssHandle]
}

/**
 * AES needs no padding. The tokens of RC4, which begin as those of all older ciphers, have one byte of it, the number
 * 1, which ends no text. Source: RFC 4757, section 7.3; RFC 1964, section 1.2.2.3; RFC 4121, section 4.2.6.2.
 */
function withoutPadding(message: Uint8Array, header: Uint8Array): Uint8Array {
  return header[0] === DerTag.application0 && message.at(-1) === 1 ? message.subarray(0, -1) : message
}
