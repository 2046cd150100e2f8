import { join } from 'node:path'
import { type DomainId, DriverError } from '../driver.ts'

/**
 * The files of one domain. The folder is 0700, what lies in it 0600 or a socket of QEMU's:
 * `domain.json` the definition; `qmp.sock` and `rescue.sock` QMP, two since one serves one client; `serial.sock` the
 * first serial port, or `serial.pty` a link to its pseudo terminal; `vnc.sock` the display; `agent.sock` the port of the
 * guest agent; `serial.log`, `serial.log.1`, `serial.json` what the port printed; `clock.json` how the guest has set its
 * clock; `tpm` the state of its TPM, `tpm.sock`, `tpm.pid`, `tpm.log` the emulator's; `qemu.pid`; `qemu.log` what QEMU
 * itself had to say since its start; `running.json` what the living QEMU is made of, which a later definition does not
 * change; `memory` the memory of a suspended guest, `memory.sock` where QEMU sends and gets it, and `suspension.json`
 * how far that is (`saved.ts`); `snapshots.json` what is known of its snapshots, and `snapshots` what is kept of them
 * beside disks (`snapshot-record.ts`, `snapshot-files.ts`); `autostart.json` what becomes of the domain when its host starts; `interrupted` is there
 * where its QEMU was ended by a signal.
 */
export interface DomainFiles {
  readonly folder: string
  readonly definition: string
  readonly qmp: string
  readonly rescue: string
  readonly serialSocket: string
  readonly serialPty: string
  readonly vncSocket: string
  readonly agent: string
  readonly serialLog: string
  readonly serialLogOld: string
  readonly serialCount: string
  readonly clock: string
  readonly tpmState: string
  readonly tpmSocket: string
  readonly tpmPid: string
  readonly tpmLog: string
  readonly pid: string
  readonly qemuLog: string
  readonly running: string
  readonly suspension: string
  readonly memory: string
  readonly memoryPartial: string
  readonly memorySocket: string
  readonly snapshots: string
  readonly snapshotFolder: string
  readonly autostart: string
  readonly interrupted: string
}

/** Where the dumps of a domain are, below its folder. */
export const dumpFolderOf = ({ folder }: DomainFiles): string => join(folder, 'dumps')

/** The driver's own folder in the data directory. */
export const rootOf = (dataDir: string): string => join(dataDir, 'qemu')

/** Where the host's id is kept. */
export const hostIdFile = (root: string): string => join(root, 'host-id')

/** Where it is kept which boot of the machine a driver has seen, and what was still to be done then. */
export const bootFile = (root: string): string => join(root, 'boot.json')

/** Where the files of a domain are; `root` as `rootOf` gives it. */
export function filesOf(root: string, id: DomainId): DomainFiles {
  const folder = join(root, id)
  return {
    folder,
    definition: join(folder, 'domain.json'),
    qmp: join(folder, 'qmp.sock'),
    rescue: join(folder, 'rescue.sock'),
    serialSocket: join(folder, 'serial.sock'),
    serialPty: join(folder, 'serial.pty'),
    vncSocket: join(folder, 'vnc.sock'),
    agent: join(folder, 'agent.sock'),
    serialLog: join(folder, 'serial.log'),
    serialLogOld: join(folder, 'serial.log.1'),
    serialCount: join(folder, 'serial.json'),
    clock: join(folder, 'clock.json'),
    tpmState: join(folder, 'tpm'),
    tpmSocket: join(folder, 'tpm.sock'),
    tpmPid: join(folder, 'tpm.pid'),
    tpmLog: join(folder, 'tpm.log'),
    pid: join(folder, 'qemu.pid'),
    qemuLog: join(folder, 'qemu.log'),
    running: join(folder, 'running.json'),
    suspension: join(folder, 'suspension.json'),
    memory: join(folder, 'memory'),
    memoryPartial: join(folder, 'memory.partial'),
    memorySocket: join(folder, 'memory.sock'),
    snapshots: join(folder, 'snapshots.json'),
    snapshotFolder: join(folder, 'snapshots'),
    autostart: join(folder, 'autostart.json'),
    interrupted: join(folder, 'interrupted'),
  }
}

/** What only a living QEMU has; without one these are stale. */
export const runtimeFiles = (files: DomainFiles): readonly string[] => [
  files.qmp,
  files.rescue,
  files.serialSocket,
  files.serialPty,
  files.vncSocket,
  files.agent,
  files.tpmSocket,
  files.tpmPid,
  files.pid,
  files.running,
  files.memorySocket,
]

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether this is a domain's id as the contract has it: a UUID in lower case. */
export const isDomainId = (text: string): boolean => UUID.test(text)

/** The longest path of a Unix socket, without the zero that ends it. Source: unix(7), sun_path of 108 bytes. */
const SOCKET_PATH_BYTES_MAX = 107

/** Rejects a data directory below which no socket could be made; better at once than at the first start. */
export function assertSocketsFit(root: string): void {
  const files = filesOf(root, '00000000-0000-0000-0000-000000000000')
  const paths = [files.qmp, files.rescue, files.serialSocket, files.vncSocket]
  const excess = Math.max(...paths.map(path => Buffer.byteLength(path))) - SOCKET_PATH_BYTES_MAX
  if (excess <= 0) return
  throw new DriverError(
    'refused',
    `the data directory ${root} is ${excess} bytes too long: the path of a Unix socket in it may have ${SOCKET_PATH_BYTES_MAX}`,
  )
}
