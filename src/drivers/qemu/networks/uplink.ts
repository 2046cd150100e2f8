import { spawn } from 'node:child_process'
import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError, type NetworkConfig } from '../../driver.ts'
import { doubleCommas } from '../command-line/option.ts'
import { CHILD_ENVIRONMENT } from '../installation.ts'
import { findByPidFile, identify, isAlive, killNow, type ProcessIdentity, waitUntilGone } from '../process.ts'
import { addressesOf } from './addresses.ts'
import { type BridgePlan, leftoversOf, planBridge, type ToolCall } from './bridge-plan.ts'
import { addressesOn, findDevice, hostPowers, runTool } from './host-devices.ts'

/** The files of an uplink. */
export interface UplinkFiles {
  readonly socket: string
  readonly pid: string
  readonly log: string
}

/** Where the files of a network's uplink are; short, since one is a socket. */
export const uplinkFiles = (folder: string, networkId: string): UplinkFiles => ({
  socket: join(folder, `${networkId}.sock`),
  pid: join(folder, `${networkId}.pid`),
  log: join(folder, `${networkId}.log`),
})

/** How the way of a network to the outside is made: a QEMU without a machine, a hub between the outside and the switch. */
export interface UplinkPlan {
  readonly network: NetworkConfig
  readonly files: UplinkFiles
  /** By these it is known again, too. */
  readonly arguments: readonly string[]
  /** Absent where the network goes through the host's own sockets. */
  readonly bridge?: BridgePlan
}

/** Plans a network's uplink. Rejects as `refused` what cannot be on this host. */
export async function planUplink(network: NetworkConfig, files: UplinkFiles): Promise<UplinkPlan> {
  const { gateway, net, dns, first } = addressesOf(network)
  if (network.nic === '') {
    const user = { type: 'user', id: 'outside', ipv6: false, net, host: gateway, dns, dhcpstart: first }
    return { network, files, arguments: hub(network, user, files) }
  }
  const bridge = await planBridge(network, { find: findDevice, powers: hostPowers, addresses: addressesOn })
  const tap = { type: 'tap', id: 'outside', ifname: bridge.tap, script: 'no', downscript: 'no' }
  return { network, files, arguments: hub(network, tap, files), bridge }
}

/** Source: qemu-system(1), `-netdev hubport`, `-sandbox`. */
function hub({ nic, vlan }: NetworkConfig, outside: object, { socket, pid }: UplinkFiles): string[] {
  const inside = { type: 'stream', id: 'inside', server: true, addr: { type: 'unix', path: socket } }
  const ports = ['outside', 'inside'].map(netdev => ({ type: 'hubport', id: `hub-${netdev}`, hubid: 0, netdev }))
  return [
    ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none'],
    ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ['-name', doubleCommas(`uplink-${nic}-${vlan ?? ''}`), '-pidfile', pid],
    [outside, inside, ...ports].flatMap(netdev => ['-netdev', JSON.stringify(netdev)]),
  ].flat()
}

/** How long an uplink may take to come up or to go. */
const START_MS = 30_000
const KILL_MS = 20_000
const POLL_MS = 10

/** The uplink that runs as planned. One that runs otherwise, and what a dead one left, is taken away. */
export async function findUplink(program: string, plan: UplinkPlan): Promise<ProcessIdentity | undefined> {
  const found = findByPidFile().get(plan.files.pid)
  const isSame = found?.arguments.join('\0') === [program, ...plan.arguments, ''].join('\0')
  if (isSame) return found
  await removeUplink(plan.network.id, plan.files)
  return undefined
}

/** Starts an uplink; none of this network may run. A failed start leaves nothing. */
export async function startUplink(program: string, plan: UplinkPlan): Promise<ProcessIdentity> {
  try {
    await runAll(plan.bridge?.before ?? [])
    const process = spawnUplink(program, plan)
    await untilUp(process, plan)
    await runAll(plan.bridge?.after ?? [])
    return process
  } catch (error) {
    await removeUplink(plan.network.id, plan.files)
    throw error
  }
}

/** Ends an uplink and removes what it had: files, and devices of the host. Harmless where there is none. */
export async function removeUplink(networkId: string, files: UplinkFiles): Promise<void> {
  const process = findByPidFile().get(files.pid)
  if (process !== undefined) killNow(process)
  if (process !== undefined && !(await waitUntilGone(process, KILL_MS))) {
    throw new DriverError('unreachable', `the uplink, process ${process.pid}, survives SIGKILL for ${KILL_MS} ms`)
  }
  for (const path of Object.values(files)) await rm(path, { force: true })
  for (const name of leftoversOf(networkId)) {
    if (findDevice(name) !== undefined) await runTool(['ip', 'link', 'del', 'dev', name])
  }
}

async function runAll(calls: readonly ToolCall[]): Promise<void> {
  for (const call of calls) await runTool(call)
}

function spawnUplink(program: string, { files, arguments: args }: UplinkPlan): ProcessIdentity {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants
  const log = openSync(files.log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: CHILD_ENVIRONMENT,
    })
    child.unref()
    // A program that cannot be run is told of by its missing number.
    child.on('error', () => undefined)
    const identity = child.pid === undefined ? undefined : identify(child.pid)
    if (identity === undefined) throw new DriverError('refused', `cannot run ${program}`)
    return identity
  } finally {
    closeSync(log)
  }
}

/** It listens when all that it was told to have is there. */
async function untilUp(process: ProcessIdentity, { network, files }: UplinkPlan): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!existsSync(files.socket)) {
    if (!isAlive(process)) {
      const words = (await readFile(files.log, 'utf8')).slice(0, 500).trim()
      throw new DriverError('refused', `the uplink of network ${network.name}: ${words}`)
    }
    if (performance.now() >= deadline) {
      throw new DriverError('unreachable', `the uplink of network ${network.name} does not come up`)
    }
    await sleep(POLL_MS)
  }
}
