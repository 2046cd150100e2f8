import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Driver } from '../../src/drivers/driver.ts'
import { connect as connectHyperv } from '../../src/drivers/hyperv/index.ts'
import { memoryDriver, type MemoryDriverOptions } from '../../src/drivers/memory/index.ts'
import { connect as connectQemu } from '../../src/drivers/qemu/index.ts'
import { ALONE, LibvirtFace, type ManagedHost, OPERATOR } from '../../src/libvirt/rpc/index.ts'
import { socketPassing } from '../../src/server/socket-passing.ts'
import { type HypervHost, startHost } from '../hyperv/setting.ts'
import type { Outcome } from '../support/command.ts'
import { endGuests } from '../support/machine.ts'
import { printed, programNamed, refused, runTool, type ToolOptions } from './tool.ts'

/** The kinds of hosts that there can be in a world: `v1` and `v2` are Hyper-V by its older and newer namespace. */
export type HostName = 'memory' | 'qemu' | 'v1' | 'v2'

/** What a world is made with. */
export interface WorldOptions {
  readonly hosts: readonly HostName[]
  readonly memory?: MemoryDriverOptions
  /** More options of the command of the simulated hosts of Hyper-V, such as `--vms`. */
  readonly hyperv?: readonly string[]
  /** A detour to the simulated hosts of Hyper-V, such as one that counts. */
  readonly through?: (uri: URL) => Promise<URL>
  /** Clients may only read. */
  readonly isReadOnly?: boolean
}

/** Hosts that are served to libvirt's own tools from this process. */
export interface World {
  /** A folder that goes with it; short, for the sake of the sockets' names. */
  readonly folder: string
  readonly socket: string
  /** What the hosts and the face have complained of so far. */
  readonly complaints: readonly string[]
  readonly driver: (host: HostName) => Driver
  /** The simulated host of Hyper-V itself. */
  readonly simulated: (host: 'v1' | 'v2') => HypervHost
  /** What tools are given to connect to a host. */
  readonly uri: (host: HostName) => string
  /** Runs virsh with these arguments to its end. */
  readonly virsh: (host: HostName, args: readonly string[], options?: ToolOptions) => Promise<Outcome>
  /** What virsh prints that does what it is told and complains of nothing. */
  readonly ok: (host: HostName, ...args: readonly string[]) => Promise<string>
  /** What one virsh prints of each of these commands, in the words of its own shell, without space around it. */
  readonly each: (host: HostName, commands: readonly string[]) => Promise<readonly string[]>
  /** What virsh complains of that does not. */
  readonly no: (host: HostName, ...args: readonly string[]) => Promise<string>
  /** Runs a Python program that lies here, with the URI of a host as its first argument. */
  readonly python: (host: HostName, program: string, args?: readonly string[], more?: ToolOptions) => Promise<Outcome>
  /** The same with a Perl program. */
  readonly perl: (host: HostName, program: string, args?: readonly string[], more?: ToolOptions) => Promise<Outcome>
  readonly close: () => Promise<void>
}

/** Debian's own, for which python3-libvirt is. */
const PYTHON = '/usr/bin/python3'
const PERL = '/usr/bin/perl'
const NAMES: Readonly<Record<HostName, string>> = { memory: 'lab', qemu: 'system', v1: 'old', v2: 'new' }
const SCHEMES: Readonly<Record<HostName, string>> = { memory: 'memory', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' }
/** What virsh prints after each of several commands. */
const NEXT = '--- next ---'
const BUILDS = { v1: '7601', v2: '20348' } as const

/** A host in a world, and what is to be done when it goes. */
interface Place {
  readonly driver: Driver
  readonly simulated?: HypervHost
}

/** Serves hosts on a Unix socket. Every guest of QEMU ends with the world. */
export async function serve(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp('/tmp/pv-')
  const socket = join(folder, 'libvirt-sock')
  const complaints: string[] = []
  const warn = (message: string, details?: object) => {
    complaints.push(details === undefined ? message : `${message} ${JSON.stringify(details)}`)
  }
  const places = new Map<HostName, Place>()
  for (const host of options.hosts) places.set(host, await placeOf(host, options, folder, warn))
  const managed = [...places].map(([host, { driver }]): ManagedHost => {
    return { scheme: SCHEMES[host], names: [NAMES[host]], driver, signal: new AbortController().signal, company: ALONE }
  })
  const face = new LibvirtFace({ hosts: () => managed, warn })
  const { isReadOnly = false } = options
  const server = createServer(client =>
    face.accept(client, { who: { user: OPERATOR }, isReadOnly, passing: () => socketPassing(client) }),
  )
  server.listen(socket)
  await once(server, 'listening')
  return {
    folder,
    socket,
    complaints,
    driver: host => found(places, host).driver,
    simulated: host => simulatedOf(found(places, host)),
    ...toolsFor((host: HostName) => uriOf(SCHEMES[host], NAMES[host], socket), folder),
    async close() {
      face.close()
      await new Promise(resolve => server.close(resolve))
      for (const { driver, simulated } of places.values()) {
        await driver.close()
        await simulated?.sim.close()
      }
      await endGuests(folder)
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** `memory+unix:///lab?socket=…`: what tools are given to connect to a host that is served on a Unix socket. */
export const uriOf = (scheme: string, name: string, socket: string): string =>
  `${scheme}+unix:///${encodeURIComponent(name)}?socket=${encodeURIComponent(socket)}`

/** The tools for hosts, by what leads to each. `home` is the folder in which they may leave things. */
export function toolsFor<H>(uri: (host: H) => string, home: string) {
  const virsh = (host: H, args: readonly string[], options?: ToolOptions) =>
    runTool('virsh', ['-c', uri(host), ...args], home, options)
  const script =
    (command: string) =>
    (host: H, program: string, args: readonly string[] = [], more?: ToolOptions) =>
      runTool(command, [programNamed(program), uri(host), ...args], home, more)
  return {
    uri,
    virsh,
    ok: (host: H, ...args: readonly string[]) => printed(virsh(host, args)),
    async each(host: H, commands: readonly string[]) {
      const told = await printed(virsh(host, ['-q', commands.map(command => `${command}; echo '${NEXT}'`).join('; ')]))
      return told
        .split(NEXT)
        .slice(0, commands.length)
        .map(text => text.trim())
    },
    no: (host: H, ...args: readonly string[]) => refused(virsh(host, args)),
    python: script(PYTHON),
    perl: script(PERL),
  }
}

async function placeOf(
  host: HostName,
  { memory, hyperv = [], through = async uri => uri }: WorldOptions,
  folder: string,
  warn: (message: string, details?: object) => void,
): Promise<Place> {
  if (host === 'memory') return { driver: memoryDriver({ name: crypto.randomUUID(), ...memory }) }
  if (host === 'qemu') {
    const uri = new URL('qemu:///system?accelerator=tcg')
    return { driver: await connectQemu({ uri, dataDir: join(folder, 'data'), warn }) }
  }
  const simulated = await startHost('--build', BUILDS[host], '--pace', '0', ...hyperv)
  return { driver: await connectHyperv({ uri: await through(simulated.uri), warn }), simulated }
}

function found(places: ReadonlyMap<HostName, Place>, host: HostName): Place {
  const place = places.get(host)
  if (place === undefined) throw new Error(`there is no host ${host} in this world`)
  return place
}

function simulatedOf({ simulated }: Place): HypervHost {
  if (simulated === undefined) throw new Error('this host is not simulated')
  return simulated
}
