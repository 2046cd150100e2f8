import { type ConnectOptions, type Driver, DriverError } from '../driver.ts'
import { hostPowerOps } from '../host-power.ts'
import { autostartOps } from './autostart.ts'
import { cloneOps } from './clones.ts'
import { Connection } from './connection.ts'
import { consoleOps } from './consoles.ts'
import { dumpOps } from './dumps.ts'
import { deviceOps } from './devices.ts'
import { domainOps } from './domains.ts'
import { createEvents } from './events.ts'
import { Faults, type PlannedFault } from './faults.ts'
import { guestOps } from './guests.ts'
import { MemoryHost, type MemoryHostOptions } from './host.ts'
import { hostOps } from './host-ops.ts'
import { metricsOps } from './metrics.ts'
import { networkOps } from './networks.ts'
import { Random } from './random.ts'
import { schedulerOps } from './scheduler.ts'
import { screenOps } from './screens.ts'
import { snapshotOps } from './snapshots.ts'
import { storageOps } from './storage.ts'
import { suspensionOps } from './suspension.ts'
import { createTerminals } from './terminals.ts'
import { type MemoryUri, parseMemoryUri } from './uri.ts'

export type { Clock } from './clock.ts'
export type { Operation, PlannedFault } from './faults.ts'
export { FIXTURES } from './fixtures.ts'
export { MemoryHost, type MemoryHostOptions } from './host.ts'

/** A driver for a host in this process, and the means to make it fail. */
export interface MemoryDriver extends Driver {
  readonly devices: NonNullable<Driver['devices']>
  readonly suspension: NonNullable<Driver['suspension']>
  readonly snapshots: NonNullable<Driver['snapshots']>
  readonly dumps: NonNullable<Driver['dumps']>
  readonly storage: NonNullable<Driver['storage']>
  readonly clones: NonNullable<Driver['clones']>
  readonly networks: NonNullable<Driver['networks']>
  readonly terminals: NonNullable<Driver['terminals']>
  readonly screens: NonNullable<Driver['screens']>
  readonly guest: NonNullable<Driver['guest']>
  readonly metrics: NonNullable<Driver['metrics']>
  readonly scheduler: NonNullable<Driver['scheduler']>
  readonly autostart: NonNullable<Driver['autostart']>
  readonly consoles: NonNullable<Driver['consoles']>
  readonly events: NonNullable<Driver['events']>
  readonly faults: Faults
}

/** A memory host and a connection to it. */
export interface MemoryDriverOptions extends MemoryHostOptions {
  /** The host to connect to, such as one with another connection; without it a new one by the other options. */
  readonly host?: MemoryHost
  /** The longest that a call waits. */
  readonly latencyMs?: number
  /** The share of calls that fail, 0 to 1. */
  readonly faultRate?: number
  /** The programs that shut the machine down and reboot it; without them the driver has no group `power`. */
  readonly hostPower?: ConnectOptions['hostPower']
  /** Faults that are planned from the start. */
  readonly faults?: readonly PlannedFault[]
}

/** A connection to a memory host; with the same options and the same calls, everything happens the same. */
export function memoryDriver(options: MemoryDriverOptions = {}): MemoryDriver {
  const { host = new MemoryHost(options), seed = 0, latencyMs = 0, faultRate = 0, faults: planned = [] } = options
  const faults = new Faults(new Random(`faults ${seed}`), faultRate)
  faults.plan(...planned)
  const connection = new Connection(faults, host.clock, new Random(`latency ${seed}`), latencyMs)
  const events = createEvents(connection)
  const detach = host.attach(events.hear)
  const terminals = createTerminals(host, connection)
  const power = hostPowerOps(options.hostPower, (operation, run) => connection.call(`power.${operation}`, run))
  return {
    name: 'memory',
    faults,
    host: hostOps(host, connection),
    domains: domainOps(host, connection),
    devices: deviceOps(host, connection),
    suspension: suspensionOps(host, connection),
    snapshots: snapshotOps(host, connection),
    dumps: dumpOps(host, connection),
    storage: storageOps(host, connection),
    clones: cloneOps(host, connection),
    networks: networkOps(host, connection),
    terminals: terminals.ops,
    screens: screenOps(host, connection),
    guest: guestOps(host, connection),
    metrics: metricsOps(host, connection),
    scheduler: schedulerOps(host, connection),
    autostart: autostartOps(host, connection),
    consoles: consoleOps(host, connection),
    ...(power && { power }),
    events: events.ops,
    async close() {
      connection.close()
      terminals.close()
      detach()
    },
  }
}

/** Connects to the memory host that the URI names; it is made when the process first connects to it. */
export async function connect({ uri, hostPower }: Pick<ConnectOptions, 'uri' | 'hostPower'>): Promise<Driver> {
  const wanted = parseMemoryUri(uri)
  const { seed, latency, faults } = wanted
  return memoryDriver({
    host: hostOf(wanted),
    seed,
    latencyMs: latency,
    faultRate: faults,
    ...(hostPower && { hostPower }),
  })
}

// The hosts of this process, by name. They are the one thing here that belongs to the process and not to a
// connection: a host that forgot its domains when its driver is closed would not be a host.
const hosts = new Map<string, { readonly host: MemoryHost; readonly wanted: MemoryUri }>()
const HOSTS_MAX = 1000

function hostOf(wanted: MemoryUri): MemoryHost {
  const { name, seed, vms } = wanted
  const known = hosts.get(name)
  if (known === undefined) {
    if (hosts.size >= HOSTS_MAX) throw new DriverError('refused', `there are ${HOSTS_MAX} memory hosts already`)
    const host = new MemoryHost({ name, seed, vms })
    hosts.set(name, { host, wanted })
    return host
  }
  if (known.wanted.seed !== seed || known.wanted.vms !== vms) {
    const { seed: s, vms: n } = known.wanted
    throw new DriverError('refused', `the memory host ${name} was made with seed=${s} and vms=${n}`)
  }
  return known.host
}
