import { type Driver, DriverError } from '../drivers/driver.ts'
import { drivers } from '../drivers/registry.ts'
import { Connection } from './connection.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_INVALID_ARG, VIR_ERR_NO_CONNECT, VIR_FROM_URI } from './error-numbers.ts'
import { fromDriverError, LibvirtError } from './errors.ts'
import { Host } from './host.ts'
import { profileOf } from './profile.ts'

/** How to connect to a host. */
export interface ConnectOptions {
  /** Nothing is changed through the connection: whatever would, rejects with `VIR_ERR_OPERATION_DENIED`. */
  readonly readOnly?: boolean
  /** Asked for the password of the URI's user whenever the host wants to know who we are, and not kept. */
  readonly password?: () => string | Promise<string>
  /** A folder in which drivers keep what they must; QEMU needs it. */
  readonly dataDir?: string
  /** Told of what no call can report, such as a listener that throws. Absent: it goes unheard. */
  readonly warn?: (message: string, details?: Readonly<Record<string, unknown>>) => void
  readonly signal?: AbortSignal
}

/** How to use a host that is connected to already. */
export interface UseOptions extends Pick<ConnectOptions, 'readOnly' | 'warn'> {
  /** What `getURI` says. */
  readonly uri: string
}

/** Drivers that keep something in a folder. */
const NEED_DATA_DIR: ReadonlySet<string> = new Set(['qemu'])

/**
 * Connects to a host: `hyperv://user@host/?…`, `qemu:///system`, `memory:///NAME?vms=3` (virConnectOpen). Rejects with
 * LibvirtError: `VIR_ERR_INVALID_ARG` for what is no URI, `VIR_ERR_NO_CONNECT` where no driver is for it,
 * `VIR_ERR_INTERNAL_ERROR` where the host does not answer, `VIR_ERR_AUTH_FAILED` where it does not let us in,
 * `VIR_ERR_OPERATION_FAILED` where it is no host of the kind.
 */
export async function connect(uri: string, options: ConnectOptions = {}): Promise<Connection> {
  const parsed = URL.parse(uri)
  if (parsed === null) throw new LibvirtError(VIR_ERR_INVALID_ARG, 'failed to parse the URI', { domain: VIR_FROM_URI })
  const driver = await openDriver(parsed, options)
  try {
    return new Connection(await hostOf(driver, { uri, ...options }), true)
  } catch (error) {
    await driver.close()
    throw error
  }
}

/** As `connect`, to change nothing (virConnectOpenReadOnly). */
export async function connectReadOnly(uri: string, options: ConnectOptions = {}): Promise<Connection> {
  return connect(uri, { ...options, readOnly: true })
}

/** Speaks with a host that is connected to already; whoever did that goes on and closes the driver. */
export async function connectionOf(driver: Driver, options: UseOptions): Promise<Connection> {
  return new Connection(await hostOf(driver, options), false)
}

async function openDriver(uri: URL, { dataDir, warn = unheard, signal, password }: ConnectOptions): Promise<Driver> {
  const scheme = uri.protocol.slice(0, -1)
  const open = Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined
  if (open === undefined) throw new LibvirtError(VIR_ERR_NO_CONNECT, `${scheme}:`, { domain: VIR_FROM_URI })
  if (dataDir === undefined && NEED_DATA_DIR.has(scheme)) {
    throw new LibvirtError(VIR_ERR_INVALID_ARG, `${scheme} keeps domains in a folder: name it in dataDir`)
  }
  try {
    return await open({
      uri,
      dataDir: dataDir ?? '',
      warn,
      ...(signal !== undefined && { signal }),
      ...(password !== undefined && { password: async () => password() }),
    })
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    throw fromDriverError(error, VIR_ERR_INTERNAL_ERROR, profileOf(scheme).from)
  }
}

const hostOf = (driver: Driver, { uri, readOnly = false, warn = unheard }: UseOptions): Promise<Host> =>
  Host.of(driver, { uri, isReadOnly: readOnly, warn })

function unheard(): void {
  // Whoever wants to hear it gives `warn`.
}
