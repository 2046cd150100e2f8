import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import { type CpioEntry, cpio, file, folder, program } from './cpio.ts'
import { BUSYBOX, CMDLINE, CONSOLE, GREETING, GUEST, kernel, MEMORY_BYTES } from './linux.ts'

/** Printed when the guest was asked by ACPI to shut down; then it does. */
export const SHUTDOWN_GREETING = 'GUEST-POWERBTN'

/**
 * Words of the kernel's command line that this guest heeds: `counter` prints `TICK 1`, `TICK 2` … a second apart;
 * `nomodules` loads none; `deaf` does not heed the power button.
 */
export type GuestWord = 'counter' | 'nomodules' | 'deaf'

// A shell that is not interactive says nothing but what it is told to; it ends at a mistake in what it is told.
const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts && mount -t devpts pts /dev/pts
ln -sf /proc/self/fd /dev/fd
stty -F /dev/ttyS0 -echo -opost
exec </dev/ttyS0 >/dev/ttyS0 2>&1
has() { case " $(cat /proc/cmdline) " in *" $1 "*) return 0 ;; esac; return 1; }
has nomodules || while read -r module; do insmod "/lib/modules/$module" 2>/dev/null; done </lib/modules/order
has deaf || acpid -l /dev/null
[ -x /etc/start ] && /etc/start
echo ${GREETING}
echo ${CMDLINE} "$(cat /proc/cmdline)"
has counter && { i=0; while :; do i=$((i + 1)); echo "TICK $i"; sleep 1; done </dev/null & }
while :; do sh /dev/ttyS0; done
`

const SHUTDOWN = `#!/bin/sh
echo ${SHUTDOWN_GREETING} >/dev/ttyS0
sync
poweroff -f
`

/**
 * Writes a first root file system with every command of busybox, the modules that `tools/setup` picked, and a root
 * shell on the first serial port (`GuestShell`). `extra` is packed in too; a program `etc/start` is run before the
 * greeting.
 */
export async function writeShellInitrd(path: string, extra: readonly CpioEntry[] = []): Promise<void> {
  const folders = ['bin', 'dev', 'proc', 'sys', 'tmp', 'run', 'mnt', 'root', 'lib', 'lib/modules']
  await writeFile(
    path,
    cpio([
      ...[...folders, 'etc', 'etc/acpi', 'etc/acpi/PWRF'].map(folder),
      program('bin/busybox', await readFile(BUSYBOX)),
      program('init', Buffer.from(INIT)),
      program('etc/acpi/PWRF/00000080', Buffer.from(SHUTDOWN)),
      ...(await modules()),
      ...extra,
    ]),
  )
}

async function modules(): Promise<CpioEntry[]> {
  const order = await readFile(join(GUEST, 'modules', 'order')).catch(() => {
    throw new Error(`${GUEST}/modules is missing: run tools/setup.mjs --tests`)
  })
  const names = order
    .toString()
    .split('\n')
    .filter(name => name !== '')
  const files = await Promise.all(
    names.map(async name => file(`lib/modules/${name}`, await readFile(join(GUEST, 'modules', name)))),
  )
  return [...files, file('lib/modules/order', order)]
}

/** Starts QEMU's guest agent as soon as the machine has a port for it, also where that is plugged in later. */
const START_AGENT = `#!/bin/sh
{
  while :; do
    for port in /sys/class/virtio-ports/*; do
      [ "$(cat "$port/name" 2>/dev/null)" = org.qemu.guest_agent.0 ] || continue
      mkdir -p /var/run /run
      qemu-ga -m virtio-serial -p "/dev/\${port##*/}" -t /run -f /run/qemu-ga.pid
    done
    sleep 1
  done
} </dev/null >/dev/null 2>&1 &
`

/** What to pack in as `extra` so that QEMU's guest agent answers on the virtio port org.qemu.guest_agent.0. */
export async function guestAgent(): Promise<CpioEntry[]> {
  const from = join(GUEST, 'agent')
  const names = await readdir(from).catch(() => {
    throw new Error(`${from} is missing: run tools/setup.mjs --tests`)
  })
  const entries = names.map(async name => program(join(placeOf(name), name), await readFile(join(from, name))))
  const start = program('etc/start', Buffer.from(START_AGENT))
  return [folder('lib64'), folder('lib/x86_64-linux-gnu'), ...(await Promise.all(entries)), start]
}

function placeOf(name: string): string {
  if (name === 'qemu-ga') return 'bin'
  return name.startsWith('ld-linux') ? 'lib64' : 'lib/x86_64-linux-gnu'
}

/** What of a definition boots this guest; its initrd is written into `folderOfInitrd`. */
export async function bootLinux(
  folderOfInitrd: string,
  words: readonly (GuestWord | (string & {}))[] = [],
  extra: readonly CpioEntry[] = [],
): Promise<Pick<DomainConfig, 'memoryBytes' | 'boot' | 'disks'>> {
  const initrd = join(folderOfInitrd, `initrd-${crypto.randomUUID()}.cpio`)
  await writeShellInitrd(initrd, extra)
  const cmdline = [CONSOLE, 'quiet', ...words].join(' ')
  return { memoryBytes: MEMORY_BYTES, boot: { kind: 'kernel', kernel: await kernel(), initrd, cmdline }, disks: [] }
}
