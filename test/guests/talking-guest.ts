import { type CpioEntry, folder, program } from './cpio.ts'
import { guestAgent } from './linux-shell.ts'

/** What the guest tells of itself. */
export const TALKING = {
  hostName: 'talking.example',
  prettyName: 'Talking Linux 1.0',
  address: '192.0.2.5',
  prefix: 24,
} as const

const OS_RELEASE = `ID=talking\nNAME="Talking Linux"\nPRETTY_NAME="${TALKING.prettyName}"\nVERSION_ID=1.0\n`

/** What QEMU's agent calls to end the guest. */
const SHUTDOWN = `#!/bin/sh
case " $* " in *" -r "*) reboot -f ;; *) poweroff -f ;; esac
`

/** What it calls to set the clock of the machine, or by that. */
const HWCLOCK = `#!/bin/sh
exec busybox hwclock "$@"
`

// The agent that comes with the guest is begun by a program of this name, which is kept under another one.
const START = `#!/bin/sh
hostname ${TALKING.hostName}
ip link set lo up
ip link set eth0 up && ip addr add ${TALKING.address}/${TALKING.prefix} dev eth0
[ -e /dev/vda ] && mkdir -p /mnt && mount /dev/vda /mnt
echo BOOT-OK
/etc/start-agent
`

/**
 * What to pack in as `extra` so that the guest has a name and, where it has an interface, an address, mounts its first disk,
 * prints BOOT-OK, and QEMU's agent tells of all that.
 */
export async function talkingGuest(): Promise<CpioEntry[]> {
  const agent = (await guestAgent()).map(entry =>
    entry.path === 'etc/start' ? { ...entry, path: 'etc/start-agent' } : entry,
  )
  return [
    ...agent,
    ...['sbin', 'usr', 'usr/lib'].map(folder),
    program('sbin/shutdown', Buffer.from(SHUTDOWN)),
    program('sbin/hwclock', Buffer.from(HWCLOCK)),
    program('etc/os-release', Buffer.from(OS_RELEASE)),
    program('etc/start', Buffer.from(START)),
  ]
}
