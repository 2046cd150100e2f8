import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

/**
 * Sockets of TCP, in text, and what stands before the octets of an address of IPv4 there: a program may come from a socket
 * that is for both. Addresses are words of this machine, which is little-endian. Source: proc(5); RFC 4291, section 2.5.5.2.
 */
const TABLES = [
  ['/proc/net/tcp', ''],
  ['/proc/net/tcp6', '0000000000000000FFFF0000'],
] as const
/** 127.0.0.1. */
const LOOPBACK = '0100007F'
/** Of a connection that stands; those that are being closed belong to nobody, which is written as to root. */
const ESTABLISHED = '01'

/**
 * The number of the user of this machine whose program holds the other end of a connection over the loopback interface;
 * undefined where it has let go of that, or there is no telling.
 */
export async function ownerOfPeer({ remotePort, localPort }: Socket): Promise<number | undefined> {
  if (remotePort === undefined || localPort === undefined) return undefined
  for (const [file, family] of TABLES) {
    const table = await readFile(file, 'latin1').catch(() => '')
    const [theirs, ours] = [remotePort, localPort].map(port => `${family}${LOOPBACK}:${hexadecimal(port)}`)
    const owner = new RegExp(`^ *\\d+: ${theirs} ${ours} ${ESTABLISHED} (?:\\S+ +){3}(\\d+) `, 'm').exec(table)?.[1]
    if (owner !== undefined) return Number(owner)
  }
  return undefined
}

const hexadecimal = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
