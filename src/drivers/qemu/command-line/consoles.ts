import type { DomainFiles } from '../layout.ts'
import { device, doubleCommas } from './option.ts'

/** The sockets on which QEMU is spoken to. */
export function monitorArguments({ qmp, rescue }: DomainFiles): string[] {
  return [...monitor('qmp', qmp), ...monitor('rescue', rescue)]
}

function monitor(id: string, path: string): string[] {
  const socket = `socket,id=${id},path=${doubleCommas(path)},server=on,wait=off`
  return ['-chardev', socket, '-mon', `chardev=${id},mode=control`]
}

/** What the guest can be typed at and looked at through. */
export function consoleArguments({ serialSocket, serialLog, vncSocket }: DomainFiles): string[] {
  const socket = `socket,id=serial0,path=${doubleCommas(serialSocket)},server=on,wait=off`
  return [
    '-chardev',
    `${socket},logfile=${doubleCommas(serialLog)},logappend=on`,
    ...device({ driver: 'isa-serial', id: 'serial0', chardev: 'serial0', index: 0 }),
    // Otherwise a viewer that asks to be alone, as many do without being told to, would throw out the others.
    '-vnc',
    `unix:${doubleCommas(vncSocket)},share=ignore`,
  ]
}
