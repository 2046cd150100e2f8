import type { Group } from '../command.ts'
import { clone, install } from './vm-copy.ts'
import { hardReboot, hardShutdown, pause, reboot, resume, shutdown, start, suspend, unpause } from './vm-life.ts'
import { create, list, remove, set, show } from './vm-record.ts'
import { vmConsole } from './vm-console.ts'
import { serial } from './vm-serial.ts'

/** Virtual machines. */
export const vm: Group = {
  doc: 'Virtual machines',
  commands: {
    list,
    show,
    create,
    set,
    start,
    pause,
    unpause,
    suspend,
    resume,
    shutdown,
    reboot,
    'hard-shutdown': hardShutdown,
    'hard-reboot': hardReboot,
    clone,
    install,
    delete: remove,
    serial,
    console: vmConsole,
  },
}
