import type { ConsoleOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'

/** The serial ports of a memory host. */
export function consoleOps(host: MemoryHost, connection: Connection): ConsoleOps {
  return {
    readSerial: (id, from, bytesMax) =>
      connection.call('consoles.readSerial', () => {
        const { active, serial } = host.domain(id)
        active?.guest.print()
        return serial.read(from, bytesMax)
      }),
  }
}
