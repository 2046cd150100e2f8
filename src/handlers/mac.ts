import { randomBytes } from 'node:crypto'

/** A random MAC address under QEMU's locally administered prefix. */
export function randomMac(): string {
  const tail = [...randomBytes(3)].map(byte => byte.toString(16).padStart(2, '0'))
  return ['52', '54', '00', ...tail].join(':')
}

/** Whether the text is a MAC address of one interface: six octets, no multicast bit. */
export function isMac(text: string): boolean {
  return /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text)
}
