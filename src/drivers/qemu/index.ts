import { mkdir, realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Driver, DriverError } from '../driver.ts'
import type { ConnectOptions } from '../driver.ts'
import { type Accelerator, detectAccelerator } from './accelerator.ts'
import { hostPowerOps } from '../host-power.ts'
import { findCpuGroups } from './cgroup.ts'
import { CpuOffer } from './cpu-offer.ts'
import { consoleOps } from './consoles.ts'
import { deviceOps } from './devices.ts'
import { domainOps } from './domains.ts'
import { dumpOps } from './dumps.ts'
import { Announcer } from './events.ts'
import { Gate } from './gate.ts'
import { hostOps, readHostId } from './host.ts'
import { findInstallation } from './installation.ts'
import { Inventory } from './inventory.ts'
import { keepLogsShort } from './housekeeping.ts'
import { assertSocketsFit, rootOf } from './layout.ts'
import { metricsOps } from './metrics.ts'
import { networkOps } from './network-ops.ts'
import { Networks } from './networks/networks.ts'
import { schedulerOps } from './scheduler.ts'
import { createScheduler } from './scheduling.ts'
import { screenOps } from './screens.ts'
import { suspensionOps } from './suspensions.ts'
import { terminalOps, Terminals } from './terminals.ts'
import { Folders } from './folders.ts'
import { qemuImgAt } from './qemu-img.ts'
import { Shortener } from './shorten.ts'
import { cloneOps, storageOps } from './storage.ts'

/**
 * The QEMU of this machine: one process for each running domain, which outlives the connection and is found again by
 * the next. The URI is `qemu:///system`; `?accelerator=tcg` or `kvm` overrides what is found out about the machine.
 * Rejects with DriverError: `unreachable` where QEMU is missing, `refused` for a URI or a data directory that will not do.
 */
export async function connect({ uri, dataDir, warn, signal, hostPower }: ConnectOptions): Promise<Driver> {
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
    const inventory = new Inventory({
      root,
      installation,
      accelerator,
      cpuOffer,
      networks,
      scheduler,
      tell: announcer.tell,
      warn,
    })
    await inventory.load()
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
      gate.close()
      over.abort()
      terminals.close()
      housekeeping.stop()
      inventory.detach()
      announcer.close()
      await shortener.close()
      await networks.close()
    }
    return {
      name: 'qemu',
      host: hostOps({ id, installation, accelerator }, gate),
      domains: domainOps(inventory, gate),
      devices: deviceOps(inventory, networks, { root, gate, warn }),
      suspension: suspensionOps(inventory, gate),
      dumps: dumpOps(inventory, gate),
      storage: storageOps(tools, shortener, resolve(dataDir), gate),
      clones: cloneOps(tools, gate),
      networks: networkOps(networks, inventory, gate),
      consoles: consoleOps(inventory, gate),
      terminals: terminalOps(terminals, gate),
      screens: screenOps({ root, inventory, closed: over.signal }, gate),
      metrics: metricsOps(inventory, gate),
      scheduler: schedulerOps(inventory, scheduler, gate),
      ...(power && { power }),
      events: { subscribe: listener => announcer.subscribe(listener) },
      close,
    }
  })
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
