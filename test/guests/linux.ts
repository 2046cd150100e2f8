import { access, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { cpio, folder, program } from './cpio.ts'

/** Where the setup of the tests unpacks of Debian's package linux-image-cloud-amd64 the kernel and modules. */
export const GUEST = fileURLToPath(new URL('../../node_modules/.cache/polyvisor/guest', import.meta.url))
const KERNEL = `${GUEST}/vmlinuz`
/** Of Debian's package busybox-static. */
export const BUSYBOX = '/bin/busybox'

/** What the guest prints when its own program runs; the next line is the kernel's command line, after this word. */
export const GREETING = 'GUEST-UP'
export const CMDLINE = 'CMDLINE'

/** Less does not boot this kernel. */
export const MEMORY_BYTES = 128 * 1_048_576
/** Where the kernel prints; and to leave out what takes an emulated processor long and no test looks at. */
export const CONSOLE = 'console=ttyS0 mitigations=off nokaslr cryptomgr.notests'

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
echo ${GREETING}
echo ${CMDLINE} "$(/bin/busybox cat /proc/cmdline)"
exec /bin/busybox sleep 86400
`

/** The path of the kernel. Rejects, saying how to get it, where it is missing. */
export async function kernel(): Promise<string> {
  await access(KERNEL).catch(() => {
    throw new Error(`${KERNEL} is missing: run tools/setup.mjs, or unpack /boot/vmlinuz-* of linux-image-cloud-amd64`)
  })
  return KERNEL
}

/** Writes a first root file system: a program that greets, on a busybox. */
export async function writeInitrd(path: string): Promise<void> {
  const entries = [
    ...['bin', 'dev', 'proc'].map(folder),
    program('bin/busybox', await readFile(BUSYBOX)),
    program('init', Buffer.from(INIT)),
  ]
  await writeFile(path, cpio(entries))
}
