import type { ConnectOptions, Driver } from '../driver.ts'
import { Adapters } from './adapters.ts'
import { autostartOps } from './autostart.ts'
import { openConnection } from './connection.ts'
import { CpuTimes } from './cpu-times.ts'
import { Definitions } from './definitions.ts'
import { Descriptions } from './descriptions.ts'
import { deviceOps } from './devices.ts'
import { Directory } from './directory.ts'
import { domainOps } from './domains.ts'
import { Drives } from './drives.ts'
import { Events } from './events.ts'
import { Gate } from './gate.ts'
import { guestOps } from './guests.ts'
import { hostOps } from './host.ts'
import { Images } from './images.ts'
import { Locks } from './locks.ts'
import { metricsOps } from './metrics.ts'
import { Networks } from './networks.ts'
import { readPasswordFile } from './password-file.ts'
import { Power } from './power.ts'
import { Rivals } from './rivals.ts'
import { schedulerOps } from './scheduler.ts'
import { storageOps } from './storage.ts'
import { screenOps } from './screens.ts'
import { snapshotOps } from './snapshots.ts'
import { suspensionOps } from './suspension.ts'
import { ToldDevices } from './told-devices.ts'
import { parseHypervUri } from './uri.ts'

/** A connection to a Hyper-V host, on which nothing of ours is installed. */
export async function connect({ uri, warn, signal, password }: Omit<ConnectOptions, 'dataDir'>): Promise<Driver> {
  const { target, namespace, passwordFile } = parseHypervUri(uri, password)
  // A file that cannot be read is said to be so here; when a connection asks for it, it is only a password that is missing.
  if (passwordFile !== undefined) await readPasswordFile(passwordFile)
  const { backEnd, facts, client } = await openConnection(target, namespace, signal)
  const gate = new Gate()
  const directory = new Directory(backEnd)
  const events = new Events(backEnd, directory, warn)
  const networks = new Networks(backEnd, new Locks())
  const images = new Images(backEnd.storage)
  const told = new ToldDevices()
  const devices = {
    adapters: new Adapters(backEnd, networks),
    drives: new Drives(backEnd.drives, images),
    rivals: new Rivals(backEnd.drives, images),
  }
  const definitions = new Definitions({ backEnd, directory, told, host: facts, ...devices })
  const cpuTimes = new CpuTimes(client)
  const descriptions = new Descriptions({ backEnd, directory, images, networks, told, cpuTimes })
  const parts = { backEnd, directory, definitions, descriptions, told, events, locks: new Locks() }
  const power = new Power(parts)
  const { autostart, scheduling, screens, snapshots } = backEnd
  return {
    name: 'hyperv',
    host: hostOps({ client, facts, target }, gate),
    domains: domainOps(parts, power, gate),
    devices: deviceOps({ ...parts, ...devices, images, networks, build: facts.build }, gate),
    suspension: suspensionOps(power, gate),
    storage: storageOps({ backEnd, folders: facts.folders, locks: new Locks() }, gate),
    networks: networks.ops(gate),
    snapshots: snapshotOps({ ...parts, snapshots }, gate),
    screens: screenOps({ ...parts, screens }, gate),
    guest: guestOps({ directory, backEnd }, gate),
    autostart: autostartOps({ ...parts, autostart }, gate),
    scheduler: schedulerOps({ ...parts, scheduling }, gate),
    metrics: metricsOps({ ...parts, client, cpuTimes, guests: backEnd.guests, build: facts.build }, gate),
    events: events.ops,
    async close() {
      gate.close()
      events.close()
      await client.close()
    },
  }
}
