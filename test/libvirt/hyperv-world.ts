import { readFileSync } from 'node:fs'
import { type Connection, connect } from '../../src/libvirt/index.ts'
import { type HypervHost, passwordFile, startHost } from '../hyperv/setting.ts'
import { volumeXml } from './world.ts'

/** A simulated Hyper-V host, and a connection to it as its users make one. */
export interface HypervWorld {
  readonly host: HypervHost
  /** The URI, which says nothing of the password. */
  readonly uri: string
  readonly connection: Connection
  readonly again: () => Promise<Connection>
  readonly close: () => Promise<void>
}

/** A folder that a host does not have from the start. */
export const FOLDER = String.raw`C:\Hyper-V\Disks`
export const MIB = 1_048_576

/** Starts a host whose jobs take no time. */
export async function hypervWorld(build: number, ...options: readonly string[]): Promise<HypervWorld> {
  const host = await startHost('--build', String(build), '--pace', '0', '--vms', '2', ...options)
  const url = new URL(host.uri)
  url.searchParams.delete('password_file')
  const warn = (message: string) => void host.complaints.push(message)
  const again = () => connect(url.href, { password: () => readFileSync(passwordFile, 'utf8'), warn })
  const connection = await again()
  const close = async () => {
    await connection.close()
    await host.sim.close()
  }
  return { host, uri: url.href, connection, again, close }
}

/** The pool of the folder in which the host puts images unless told otherwise. */
export const OWN_POOL = 'Virtual Hard Disks'

/** An image of this name in that pool, and where it lies. */
export async function image(connection: Connection, name: string): Promise<string> {
  const pool = await connection.storagePoolLookupByName(OWN_POOL)
  return (await pool.storageVolCreateXML(volumeXml(name, 64 * MIB))).getPath()
}

/** A disk as the document describes one: backslashes twice, and only the name that tells its place. */
export const diskXml = (path: string, target = 'hda'): string =>
  `<disk type='file'><source file='${path.replaceAll('\\', '\\\\')}'/><target dev='${target}'/></disk>`

export const nicXml = (network: string): string =>
  `<interface type='network'><source network='${network}'/></interface>`

export const switchXml = (name: string): string => `<network><name>${name}</name></network>`
