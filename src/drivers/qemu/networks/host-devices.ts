import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { arrayMember, isJsonObject, stringMember } from '../../../protocols/qmp/json.ts'
import { DriverError } from '../../driver.ts'
import { systemCode } from '../files.ts'
import { CHILD_ENVIRONMENT } from '../installation.ts'

/** An ethernet device of the host. Source: the kernel's Documentation/ABI/testing/sysfs-class-net. */
export interface HostDevice {
  readonly name: string
  readonly kind: 'bridge' | 'ethernet' | 'other'
  readonly mtu: number
  /** The bridge or bond that it is part of. */
  readonly master?: string
  /** Of a bridge: whether it tells VLANs apart. */
  readonly filtersVlans: boolean
  /** Of a bridge that does: the VLAN that a new member is in; `0` for none. */
  readonly defaultVlan: string
}

/** What the host lets us do about its network. */
export interface HostPowers {
  /** What is missing for bridges and taps, in words; empty where nothing is. */
  readonly missing: readonly string[]
  /** Whether an ethernet device can have a sub-device for a VLAN. */
  readonly hasVlans: boolean
}

const DEVICES = '/sys/class/net'
const TUN = '/dev/net/tun'
/** The number of CAP_NET_ADMIN. Source: capabilities(7), linux/capability.h. */
const NET_ADMIN_BIT = 12n
/** ARPHRD_ETHER. Source: linux/if_arp.h. */
const ETHERNET_TYPE = '1'

/** The device of this name; undefined where the host has none. */
export function findDevice(name: string): HostDevice | undefined {
  // A name goes into a path: it must not lead out of the folder.
  if (!/^[^\s/]{1,15}$/.test(name) || name === '.' || name === '..') return undefined
  const folder = join(DEVICES, name)
  if (!existsSync(folder)) return undefined
  const isBridge = existsSync(join(folder, 'bridge'))
  const isWireless = existsSync(join(folder, 'phy80211')) || existsSync(join(folder, 'wireless'))
  const isEthernet = read(folder, 'type') === ETHERNET_TYPE && !isWireless
  const master = masterOf(folder)
  // A kernel without VLANs has no such file.
  const filter = join(folder, 'bridge', 'vlan_filtering')
  const filtersVlans = isBridge && existsSync(filter) && readFileSync(filter, 'utf8').trim() === '1'
  return {
    name,
    kind: isBridge ? 'bridge' : isEthernet ? 'ethernet' : 'other',
    mtu: Number(read(folder, 'mtu')),
    ...(master !== undefined && { master }),
    filtersVlans,
    defaultVlan: filtersVlans ? read(folder, 'bridge/default_pvid') : '0',
  }
}

/** Devices of the host whose names begin so. */
export const devicesNamed = (prefix: string): string[] => readdirSync(DEVICES).filter(name => name.startsWith(prefix))

/** What this process may do. */
export function hostPowers(): HostPowers {
  const missing = [
    ...(hasNetAdmin() ? [] : ['the capability CAP_NET_ADMIN']),
    ...(isAccessible(TUN) ? [] : [`access to ${TUN}`]),
    ...(findTool('ip') === undefined ? ['the program ip (on Debian: apt-get install iproute2)'] : []),
  ]
  return { missing, hasVlans: existsSync('/proc/net/vlan') || existsSync('/sys/module/8021q') || hasVlanModule() }
}

const run = promisify(execFile)
const RUN_OPTIONS = { timeout: 20_000, maxBuffer: 1_048_576, env: CHILD_ENVIRONMENT } as const

/** Runs `ip` or `bridge` with these arguments. Rejects as `refused`, in the program's own words. */
export async function runTool([name, ...commandArguments]: readonly [Tool, ...string[]]): Promise<string> {
  const program = findTool(name)
  if (program === undefined) throw new DriverError('refused', `the program ${name} is missing`)
  try {
    return (await run(program, commandArguments, RUN_OPTIONS)).stdout
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new DriverError('refused', `${name} ${commandArguments.join(' ')}: ${words}`, { cause: error })
  }
}

/**
 * The addresses that the host itself has on a device, but for those that every device has. Rejects as `refused`.
 * Source: ip-address(8), the output of `ip -json`.
 */
export async function addressesOn(name: string): Promise<string[]> {
  const answer: unknown = JSON.parse(await runTool(['ip', '-json', 'address', 'show', 'dev', name, 'scope', 'global']))
  const devices = Array.isArray(answer) ? answer.filter(isJsonObject) : []
  const addresses = devices.flatMap(device => ('addr_info' in device ? arrayMember(device, 'addr_info') : []))
  return addresses.filter(isJsonObject).flatMap(address => ('local' in address ? stringMember(address, 'local') : []))
}

/** The programs of iproute2 that are used. */
export type Tool = 'ip' | 'bridge'

function findTool(name: string): string | undefined {
  const folders = [...(CHILD_ENVIRONMENT['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  return folders.map(folder => join(folder, name)).find(path => path.startsWith('/') && isRunnable(path))
}

const isRunnable = (path: string): boolean => isAccessible(path, constants.X_OK)

function isAccessible(path: string, mode = constants.R_OK | constants.W_OK): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    // Not there or not for us: which of them makes no difference.
    return false
  }
}

function hasNetAdmin(): boolean {
  const bits = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return ((BigInt(`0x${bits ?? '0'}`) >> NET_ADMIN_BIT) & 1n) === 1n
}

/** The kernel loads the module itself when the first VLAN is made, where it has it. */
function hasVlanModule(): boolean {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()
  return ['modules.dep', 'modules.builtin'].some(name => {
    const path = join('/lib/modules', release, name)
    return existsSync(path) && /\/8021q\.ko/.test(readFileSync(path, 'utf8'))
  })
}

function masterOf(folder: string): string | undefined {
  try {
    return basename(readlinkSync(join(folder, 'master')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8').trim()
}
