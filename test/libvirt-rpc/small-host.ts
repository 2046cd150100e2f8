import {
  type Handlers,
  MAXIMA,
  type RpcDomain,
  RpcError,
  type RpcServerConnection,
} from '../../src/protocols/libvirt-rpc/index.ts'

/** Numbers of libvirt's that the host answers with. Source: libvirt, src/libvirt_internal.h and include/libvirt. */
const VIR_DRV_FEATURE_PROGRAM_KEEPALIVE = 10
const VIR_DRV_FEATURE_REMOTE_EVENT_CALLBACK = 14
const VIR_CONNECT_RO = 1
const VIR_DOMAIN_RUNNING = 1
const VIR_DOMAIN_SHUTOFF = 5
const VIR_DOMAIN_EVENT_STARTED = 2
const VIR_DOMAIN_EVENT_STOPPED = 5
const VIR_ERR_NO_DOMAIN = 42
const VIR_ERR_OPERATION_INVALID = 55
const VIR_ERR_NO_STORAGE_VOL = 50
const VIR_FROM_TEST = 12

const POOL = { name: 'pool', uuid: '99999999-1111-4222-8333-444444444444' }
const VOLUME = { pool: 'pool', name: 'disk', key: '/pool/disk' }

/** A host of three domains, a volume, and a console that says in capitals what is typed at it. */
export class SmallHost {
  readonly domains: RpcDomain[] = ['alpha', 'beta', 'gamma'].map((name, index) => {
    return { name, uuid: `0000000${index}-1111-4222-8333-444444444444`, id: index === 0 ? 1 : -1 }
  })
  /** What the volume holds. */
  volume: Buffer = Buffer.alloc(0)
  /** How streams ended, one after another. */
  readonly ends: string[] = []
  readonly #listeners = new Map<number, (event: number, dom: RpcDomain) => void>()
  #lastCallback = 0

  /** The domain that a client means. */
  find(match: (domain: RpcDomain) => boolean): RpcDomain {
    const found = this.domains.find(match)
    if (found !== undefined) return found
    throw new RpcError(VIR_ERR_NO_DOMAIN, 'Domain not found: no such domain', { domain: VIR_FROM_TEST })
  }

  /** Starts or stops a domain, and tells of it. */
  run({ uuid }: RpcDomain, wanted: boolean): void {
    const old = this.find(domain => domain.uuid === uuid)
    if (old.id >= 0 === wanted) {
      throw new RpcError(VIR_ERR_OPERATION_INVALID, 'Requested operation is not valid: it is so already')
    }
    const dom = { ...old, id: wanted ? this.domains.indexOf(old) + 1 : -1 }
    this.domains[this.domains.indexOf(old)] = dom
    const event = wanted ? VIR_DOMAIN_EVENT_STARTED : VIR_DOMAIN_EVENT_STOPPED
    for (const listener of this.#listeners.values()) listener(event, dom)
  }

  /** Has a client told of what happens; the number is what it is told under. */
  listen(connection: RpcServerConnection): number {
    const callbackID = this.#lastCallback++
    this.#listeners.set(callbackID, (event, dom) => {
      connection.emit('DOMAIN_EVENT_CALLBACK_LIFECYCLE', { callbackID, msg: { dom, event, detail: 0 } })
    })
    connection.signal.addEventListener('abort', () => this.#listeners.delete(callbackID))
    return callbackID
  }

  /** Tells a client no more. */
  forget(callbackID: number): void {
    this.#listeners.delete(callbackID)
  }
}

/** What the host does for its clients; the host is the context of every connection. */
export const smallHandlers: Handlers<SmallHost> = {
  AUTH_LIST: () => ({ types: [0] }),
  CONNECT_OPEN: ({ flags }, { connection }) => {
    if ((flags & VIR_CONNECT_RO) !== 0) connection.restrict()
  },
  CONNECT_CLOSE: () => undefined,
  CONNECT_SUPPORTS_FEATURE: ({ feature }, { connection }) => {
    if (feature === VIR_DRV_FEATURE_PROGRAM_KEEPALIVE) connection.startKeepAlive()
    const isKnown = [VIR_DRV_FEATURE_PROGRAM_KEEPALIVE, VIR_DRV_FEATURE_REMOTE_EVENT_CALLBACK].includes(feature)
    return { supported: isKnown ? 1 : 0 }
  },
  CONNECT_GET_TYPE: () => ({ type: 'SMALL' }),
  CONNECT_GET_VERSION: () => ({ hv_ver: 3_002_001n }),
  CONNECT_GET_LIB_VERSION: () => ({ lib_ver: 9_000_000n }),
  CONNECT_GET_HOSTNAME: () => ({ hostname: 'smallhost.example' }),
  CONNECT_GET_URI: () => ({ uri: 'small:///default' }),
  CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY: (_, { context, connection }) => {
    return { callbackID: context.listen(connection) }
  },
  CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY: ({ callbackID }, { context }) => context.forget(callbackID),
  CONNECT_LIST_ALL_DOMAINS: (_, { context: { domains } }) => ({ domains, ret: domains.length }),
  DOMAIN_LOOKUP_BY_NAME: ({ name }, { context }) => ({ dom: context.find(domain => domain.name === name) }),
  DOMAIN_LOOKUP_BY_UUID: ({ uuid }, { context }) => ({ dom: context.find(domain => domain.uuid === uuid) }),
  DOMAIN_GET_STATE: ({ dom: { uuid } }, { context }) => {
    const { id } = context.find(domain => domain.uuid === uuid)
    return { state: id < 0 ? VIR_DOMAIN_SHUTOFF : VIR_DOMAIN_RUNNING, reason: 0 }
  },
  DOMAIN_GET_XML_DESC: ({ dom }) => ({ xml: `<domain type='small'><name>${dom.name}</name></domain>` }),
  DOMAIN_CREATE: ({ dom }, { context }) => context.run(dom, true),
  DOMAIN_DESTROY: ({ dom }, { context }) => context.run(dom, false),
  DOMAIN_OPEN_CONSOLE: (_, { context, stream }) => {
    stream(async (console_, signal) => {
      signal.addEventListener('abort', () => context.ends.push('console'))
      await console_.write(Buffer.from('console of a small host\r\n'))
      for await (const piece of console_) {
        if (piece instanceof Uint8Array) await console_.write(Buffer.from(Buffer.from(piece).toString().toUpperCase()))
      }
    })
  },
  STORAGE_POOL_LOOKUP_BY_NAME: () => ({ pool: POOL }),
  STORAGE_POOL_IS_ACTIVE: () => ({ active: 1 }),
  STORAGE_POOL_LOOKUP_BY_VOLUME: () => ({ pool: POOL }),
  STORAGE_VOL_LOOKUP_BY_NAME: ({ name }) => {
    if (name === VOLUME.name) return { vol: VOLUME }
    throw new RpcError(VIR_ERR_NO_STORAGE_VOL, `Storage volume not found: ${name}`)
  },
  STORAGE_VOL_DOWNLOAD: ({ offset, length }, { context, stream }) => {
    stream(async out => {
      const end = length === 0n ? context.volume.length : Number(offset + length)
      await out.write(context.volume.subarray(Number(offset), end))
    })
  },
  STORAGE_VOL_UPLOAD: (_, { context, stream }) => {
    stream(async (from, signal) => {
      signal.addEventListener('abort', () => context.ends.push('upload'))
      const pieces: Uint8Array[] = []
      for await (const piece of from) {
        pieces.push(piece instanceof Uint8Array ? piece : new Uint8Array(Number(piece.holeBytes)))
      }
      context.volume = Buffer.concat(pieces)
      if (context.volume.length > MAXIMA.STRING_MAX) throw new RpcError(VIR_ERR_OPERATION_INVALID, 'the volume is full')
    })
  },
}
