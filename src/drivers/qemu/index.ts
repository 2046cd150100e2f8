import { mkdir, realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Driver, DriverError } from '../driver.ts'
import type { ConnectOptions } from '../driver.ts'
import { AgentWatch } from './agent-watch.ts'
import { type Accelerator, detectAccelerator } from './accelerator.ts'
import { hostPowerOps } from '../host-power.ts'
import { autostartOps } from './autostart.ts'
import { findCpuGroups } from './cgroup.ts'
import { CpuOffer } from './cpu-offer.ts'
import { consoleOps } from './consoles.ts'
import { deviceOps } from './devices.ts'
import { domainOps } from './domains.ts'
import { dumpOps } from './dumps.ts'
import { Announcer } from './events.ts'
import { Gate } from './gate.ts'
import { guestOps } from './guests.ts'
import { type HostFacts, hostOps, readHostId } from './host.ts'
import { findInstallation } from './installation.ts'
import { HostStart, readBootId } from './host-start.ts'
import { Inventory } from './inventory.ts'
import { keepLogsShort } from './housekeeping.ts'
import { assertSocketsFit, rootOf } from './layout.ts'
import { metricsOps } from './metrics.ts'
import { networkOps } from './network-ops.ts'
import { Networks } from './networks/networks.ts'
import { schedulerOps } from './scheduler.ts'
import { createScheduler, type Scheduler } from './scheduling.ts'
import { screenOps, type ScreenParts } from './screens.ts'
import { healSnapshots, snapshotOps } from './snapshots.ts'
import { suspensionOps } from './suspensions.ts'
import { terminalOps, Terminals } from './terminals.ts'
import { Folders } from './folders.ts'
import { qemuImgAt } from './qemu-img.ts'
import { Shortener } from './shorten.ts'
import { cloneOps, storageOps } from './storage.ts'
import type { StorageTools } from './storage-tools.ts'

/** What else of the machine the driver asks, for whoever stands in for the machine. */
export interface Edge {
  readonly bootId?: () => Promise<string>
}

/**
 * The QEMU of this machine: one process for each running domain, which outlives the connection and is found again by
 * the next. The URI is `qemu:///system`; `?accelerator=tcg` or `kvm` overrides what is found out about the machine.
 * Rejects with DriverError: `unreachable` where QEMU is missing, `refused` for a URI or a data directory that will not do.
 */
export async function connect(
  { uri, dataDir, warn, signal, hostPower }: ConnectOptions,
  { bootId = readBootId }: Edge = {},
): Promise<Driver> {
  const gate = new Gate()
  return gate.pass(async () => {
    const accelerator = acceleratorOf(uri) ?? detectAccelerator()
    const installation = await findInstallation()
    const root = await makeRoot(dataDir)
    const id = await readHostId(root)
    signal?.throwIfAborted()

    const announcer = new Announcer()
    const cpuOffer = new CpuOffer(installation, accelerator, root)
    const networks = new Networks({ root, program: installation.qemu, warn })
    await networks.load()
    const scheduler = createScheduler(findCpuGroups())
    const power = hostPowerOps(hostPower, (_operation, run) => gate.pass(run))
    const agents = new AgentWatch()
    const inventory = new Inventory({
      root,
      installation,
      accelerator,
      cpuOffer,
      networks,
      scheduler,
      tell: announcer.tell,
      agents,
      warn,
    })
    const hostStart = await HostStart.begin(root, await bootId(), warn)
    await inventory.load()
    await healSnapshots(inventory, warn)
    await networks.settle(new Set(inventory.all().flatMap(domain => (domain.isRunning ? domain.id : []))))
    const terminals = new Terminals(root, inventory)
    const over = new AbortController()
    const folders = new Folders(inventory)
    const withBases = await folders.mendAll(warn)
    const tools = { qemuImg: qemuImgAt(installation.qemuImg), inventory, folders }
    const shortener = new Shortener(tools, warn)
    for (const folder of withBases) shortener.later(folder)
    const housekeeping = keepLogsShort(inventory, warn)
    const close = async () => {
      const started = hostStart.close()
      gate.close()
      over.abort()
      terminals.close()
      housekeeping.stop()
      inventory.detach()
      announcer.close()
      agents.close()
      await started
      await shortener.close()
      await networks.close()
    }
    hostStart.run(inventory, gate, warn)
    const found = { id, installation, accelerator, root, dataDir: resolve(dataDir), warn, closed: over.signal }
    const groups = groupsOf({ ...found, inventory, networks, scheduler, terminals, tools, shortener, gate, agents })
    const events = { subscribe: announcer.subscribe.bind(announcer) }
    return { name: 'qemu', ...groups, ...(power && { power }), events, close }
  })
}

/** What the groups work with. */
interface Parts extends HostFacts, ScreenParts {
  readonly dataDir: string
  readonly warn: ConnectOptions['warn']
  readonly networks: Networks
  readonly scheduler: Scheduler
  readonly terminals: Terminals
  readonly tools: StorageTools
  readonly shortener: Shortener
  readonly gate: Gate
  readonly agents: AgentWatch
}

function groupsOf(parts: Parts): Omit<Driver, 'name' | 'power' | 'events' | 'close'> {
  const { root, dataDir, warn, inventory, networks, scheduler, terminals, tools, shortener, gate, agents } = parts
  return {
    host: hostOps(parts, gate),
    domains: domainOps(inventory, gate),
    devices: deviceOps(inventory, networks, { root, gate, warn }),
    suspension: suspensionOps(inventory, gate),
    snapshots: snapshotOps(inventory, gate),
    dumps: dumpOps(inventory, gate),
    storage: storageOps(tools, shortener, dataDir, gate),
    clones: cloneOps(tools, gate),
    networks: networkOps(networks, inventory, gate),
    consoles: consoleOps(inventory, gate),
    terminals: terminalOps(terminals, gate),
    screens: screenOps(parts, gate),
    guest: guestOps(inventory, agents, gate),
    metrics: metricsOps(inventory, gate),
    scheduler: schedulerOps(inventory, scheduler, gate),
    autostart: autostartOps(root, inventory, gate),
  }
}

function acceleratorOf(uri: URL): Accelerator | undefined {
  const unknown = [...uri.searchParams.keys()].filter(name => name !== 'accelerator')
  if (uri.host !== '' || uri.pathname !== '/system' || unknown.length > 0) {
    throw new DriverError('refused', `${uri.href}: QEMU is driven on this machine only, as qemu:///system`)
  }
  const accelerator = uri.searchParams.get('accelerator')
  if (accelerator === null || accelerator === 'kvm' || accelerator === 'tcg') return accelerator ?? undefined
  throw new DriverError('refused', `${uri.href}: the accelerator is kvm or tcg`)
}

/** The real path: by it, processes that an earlier connection started are known again. */
async function makeRoot(dataDir: string): Promise<string> {
  const wanted = rootOf(resolve(dataDir))
  assertSocketsFit(wanted)
  await mkdir(wanted, { recursive: true, mode: 0o700 })
  const root = await realpath(wanted)
  assertSocketsFit(root)
  return root
}
