import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

/** Sockets of TCP over IPv4, in text. Source: proc(5), /proc/net/tcp. */
const SOCKETS = '/proc/net/tcp'

/**
 * The number of the user of this machine whose program holds the other end of a connection over the loopback interface;
 * undefined where there is no such program any more, or no telling.
 */
export async function ownerOfPeer({ remotePort, localPort }: Socket): Promise<number | undefined> {
  if (remotePort === undefined || localPort === undefined) return undefined
  const table = await readFile(SOCKETS, 'latin1').catch(() => '')
  const ends = new RegExp(`^ *\\d+: ${addressOf(remotePort)} ${addressOf(localPort)} (?:\\S+ +){4}(\\d+) `, 'm')
  const owner = ends.exec(table)?.[1]
  return owner === undefined ? undefined : Number(owner)
}

/** The octets of 127.0.0.1 as a word of this machine, which is little-endian, and the port. */
const addressOf = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
