import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from '../support/at-end.ts'

const TOOLS = join(import.meta.dirname, '..', '..', 'tools')

/** How a setup ended: standard error is what it told the user, `calls` what it ran, one program and arguments a line. */
export interface Outcome {
  readonly code: number | null
  readonly told: string
  readonly calls: readonly string[]
}

/** A checkout on a machine where nothing is real but the setup: every other program in PATH is a script of ours. */
export interface Machine {
  /** The checkout. */
  readonly root: string
  /** The one folder in PATH. */
  readonly bin: string
  readonly setUp: (...args: readonly string[]) => Promise<Outcome>
  /** A setup that is under way; `told` is what it has said so far. */
  readonly begin: (...args: readonly string[]) => { readonly ended: Promise<Outcome>; readonly told: () => string }
  /** Puts a program, which notes its call and then does what the script says. */
  readonly put: (name: string, script: string) => Promise<void>
  readonly remove: (name: string) => Promise<void>
}

/** Debian's programs that the packages bring, by package. */
const BRINGS = {
  'qemu-system-x86': 'qemu-system-x86_64',
  'qemu-utils': 'qemu-img',
  'busybox-static': 'busybox',
  python3: 'python3',
  curl: 'curl',
  'libxml2-utils': 'xmllint',
  fdisk: 'sfdisk',
  e2fsprogs: 'mkfs.ext4',
  dosfstools: 'mkfs.vfat',
  mtools: 'mcopy',
  xorriso: 'xorriso',
  swtpm: 'swtpm',
  'krb5-kdc': 'krb5kdc',
  'krb5-admin-server': 'kadmin.local',
  'krb5-user': 'kinit',
  'libvirt-daemon': 'libvirtd',
  'libvirt-clients': 'virsh',
  'virt-manager': 'virt-manager',
  virtinst: 'virt-install',
  xvfb: 'Xvfb',
  'dbus-daemon': 'dbus-daemon',
} as const

const LOCK = JSON.stringify({
  packages: {
    '': { name: 'polyvisor' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/b': { version: '1.0.0', optional: true, os: ['elsewhere'] },
  },
})
/** As npm notes it: without what it left out for this system. */
export const INSTALLED = JSON.stringify({
  packages: { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } },
})

const NPM = `/bin/rm -rf node_modules
/bin/mkdir -p node_modules/.bin
/bin/cp ../installed node_modules/.package-lock.json
/bin/cp ../own-node node_modules/.bin/node`

/** The machine of a user who is root, with everything there but what `without` names; `npm ci` was never run. */
export async function machine(context: TestContext, without: readonly string[] = []): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-setup-'))
  atEnd(context, () => rm(folder, { recursive: true, force: true }))
  const [root, bin, calls] = [join(folder, 'checkout'), join(folder, 'bin'), join(folder, 'calls')]
  const put = async (name: string, script: string) => {
    const note = `#!/bin/sh\necho "${name} $*" >> ${calls}\n`
    await writeFile(join(bin, name), `${note}${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  await mkdir(bin)
  await cp(join(TOOLS, 'setup.mjs'), join(root, 'tools', 'setup.mjs'))
  await cp(join(TOOLS, 'setup'), join(root, 'tools', 'setup'), { recursive: true })
  await writeFile(join(root, 'package-lock.json'), LOCK)
  await writeFile(join(folder, 'installed'), INSTALLED)
  await writeProgram(join(folder, 'own-node'), '#!/bin/sh\necho v24.21.0\n')
  await writeProgram(join(bin, 'busybox'), elf(2))
  await put('npm', NPM)
  await put('node', 'echo v20.1.0')
  await put('id', 'echo 0')
  await putApt(put, bin)
  for (const name of Object.values(BRINGS)) if (name !== 'busybox') await put(name, '')
  for (const name of without) await rm(join(bin, name))

  const begin = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [join(root, 'tools', 'setup.mjs'), ...args], {
      env: { PATH: bin },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let told = ''
    child.stderr.setEncoding('utf8').on('data', chunk => (told += String(chunk)))
    atEnd(context, () => child.kill('SIGKILL'))
    const ended = once(child, 'close').then(async ([code]): Promise<Outcome> => {
      const noted = await readFile(calls, 'utf8').catch(() => '')
      await rm(calls, { force: true })
      return { code, told, calls: noted.split('\n').filter(line => line !== '' && !line.startsWith('id ')) }
    })
    return { ended, told: () => told }
  }
  return { root, bin, begin, setUp: (...args) => begin(...args).ended, put, remove: name => rm(join(bin, name)) }
}

/** An apt that knows every package, has the tools at hand, and a kernel. */
async function putApt(put: Machine['put'], bin: string): Promise<void> {
  const brought = join(bin, '..', 'brought')
  await writeProgram(join(brought, 'busybox-static'), elf(2))
  const cases = Object.entries(BRINGS).map(([name, program]) => {
    const from = name === 'busybox-static' ? join(brought, name) : join(bin, 'id')
    return `${name}) /bin/cp ${from} ${join(bin, program)} ;;`
  })
  await put(
    'apt-get',
    `for word in "$@"; do case "$word" in\n${cases.join('\n')}\nlinux-image-*|qemu-guest-agent) : > "$word.deb" ;;\nesac; done`,
  )
  await put(
    'apt-cache',
    `case "$1" in
policy) shift; for name in "$@"; do echo "$name:"; echo "  Candidate: 1"; done ;;
depends) echo "$3"
case "$3" in
linux-image-*) echo "  Depends: linux-image-9-cloud-amd64" ;;
qemu-guest-agent) echo "  Depends: libc6"; echo "  Depends: init-system-helpers" ;;
libc6) echo "  Depends: libgcc-s1" ;;
esac ;;
esac`,
  )
  await put(
    'dpkg-deb',
    `/bin/mkdir -p "$3/boot" "$3/lib/modules/9/drivers" "$3/usr/sbin"
printf '\\0libc.so.6\\0' > "$3/usr/sbin/qemu-ga"
printf '\\0ld-linux-x86-64.so.2\\0' > "$3/lib/libc.so.6"
echo > "$3/lib/ld-linux-x86-64.so.2"
echo > "$3/lib/libunneeded.so.1"
echo kernel > "$3/boot/vmlinuz-9"
cd "$3/lib/modules/9/drivers"
printf '\\0depends=virtio-ring,virtio\\0' > virtio-pci.ko
printf '\\0depends=virtio\\0' > virtio_ring.ko
printf '\\0depends=\\0' > virtio.ko
printf '\\0depends=\\0' > unheard-of.ko`,
  )
}

async function writeProgram(path: string, content: string | Buffer): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, content)
  await chmod(path, 0o755)
}

/** The beginning of a program with one segment: a loadable one, or (3) the name of an interpreter. Source: ELF-64. */
export function elf(segment: number): Buffer {
  const file = Buffer.alloc(128)
  file.write('\x7fELF', 'latin1')
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt32LE(segment, 64)
  return file
}
