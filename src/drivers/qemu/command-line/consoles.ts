import type { DomainConfig, PlatformConfig } from '../../driver.ts'
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
export function consoleArguments({ platform = {} }: DomainConfig, files: DomainFiles): string[] {
  return [
    ...serialArguments(platform.serial, files),
    // Otherwise a viewer that asks to be alone, as many do without being told to, would throw out the others.
    '-vnc',
    `unix:${doubleCommas(files.vncSocket)},share=ignore`,
  ]
}

function serialArguments(serial: PlatformConfig['serial'], { serialSocket, serialLog }: DomainFiles): string[] {
  if (serial === 'none') return []
  const socket = `socket,id=serial0,path=${doubleCommas(serialSocket)},server=on,wait=off`
  return [
    '-chardev',
    `${serial === 'pty' ? 'pty,id=serial0' : socket},logfile=${doubleCommas(serialLog)},logappend=on`,
    ...device({ driver: 'isa-serial', id: 'serial0', chardev: 'serial0', index: 0 }),
  ]
}
