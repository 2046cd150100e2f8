import { execFile } from 'node:child_process'
import { readFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { CpioEntry } from '../guests/cpio.ts'
import * as linux from '../guests/linux.ts'
import { writeShellInitrd } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { endGuests, qemuProcesses } from '../support/machine.ts'
import { ADMIN, type Server, type ServerOptions, startServer } from '../support/server.ts'
import type { Value } from '../support/value.ts'

/** How long one test with real guests may take, on a machine that is busy with others. */
export const TEST_MS = 300_000

const call = promisify(execFile)

/** What a record is made with; numbers go as the strings that the draft wants them to be. */
export type Values = Readonly<Record<string, Value>>

/** What the server of a lab is started with. */
export type LabOptions = Pick<ServerOptions, 'options' | 'wrapper'>

/** A running Linux guest with a root shell on its serial port. */
export interface Guest {
  readonly vm: string
  readonly shell: GuestShell
}

/** A server with a real host, and a client that knows nothing of it but XML-RPC. */
export class Lab {
  readonly folder: string
  #server: Server | undefined
  #client: ApiClient | undefined
  #session: Session | undefined
  readonly #options: LabOptions
  readonly #shells = new Set<GuestShell>()
  readonly #others = new Set<ApiClient>()

  private constructor(folder: string, options: LabOptions) {
    this.folder = folder
    this.#options = options
  }

  static async open(options: (folder: string) => Promise<LabOptions> = async () => ({})): Promise<Lab> {
    const folder = await mkdtemp(join(tmpdir(), 'pv-lab-'))
    await mkdir(join(folder, 'images'))
    const lab = new Lab(folder, await options(folder))
    await lab.#start()
    return lab
  }

  async #start(): Promise<void> {
    this.#server = await startServer({ data: this.data, hosts: ['qemu:///system'], ...this.#options })
    this.#client = new ApiClient(this.#server.http)
    this.#session = await this.#client.login(ADMIN.name, ADMIN.password)
  }

  get data(): string {
    return join(this.folder, 'data')
  }

  get session(): Session {
    if (this.#session === undefined) throw new Error('the server is not there')
    return this.#session
  }

  /** One more session, over a connection of its own; it ends with the server. */
  async login(): Promise<Session> {
    if (this.#server === undefined) throw new Error('the server is not there')
    const client = new ApiClient(this.#server.http)
    this.#others.add(client)
    return client.login(ADMIN.name, ADMIN.password)
  }

  /** Ends the server while its guests go on, does something, and starts another one. */
  async restart(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    this.#hangUp()
    await this.#server?.stop()
    await meanwhile()
    await this.#start()
  }

  async close(): Promise<void> {
    for (const shell of this.#shells) shell.close()
    // One that is killed behind the server's back leaves its control groups.
    for (const vm of (await this.#session?.list('VM.get_all')) ?? []) await this.#end(vm)
    this.#hangUp()
    await this.#server?.stop()
    await endGuests(this.folder)
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #hangUp(): void {
    this.#client?.close()
    for (const client of this.#others) client.close()
    this.#others.clear()
  }

  async #end(vm: string): Promise<void> {
    if ((await this.session.text('VM.get_power_state', vm)) === 'Halted') return
    await this.session.ok('VM.set_actions_after_shutdown', vm, 'destroy')
    await this.session.client.call('VM.hard_shutdown', this.session.ref, vm)
  }

  /** Makes an object. */
  create(kind: string, values: Values): Promise<string> {
    return this.session.text(`${kind}.create`, values)
  }

  /** Makes a VM that boots Linux with a shell from outside its disks, with these fields beside. */
  async defineLinux(values: Values = {}, words: readonly string[] = [], extra: readonly CpioEntry[] = []) {
    const initrd = join(this.folder, `initrd-${crypto.randomUUID()}.cpio`)
    await writeShellInitrd(initrd, extra)
    return this.create('VM', {
      name_label: 'linux',
      memory_static_max: String(linux.MEMORY_BYTES),
      boot_method: 'kernel_external',
      kernel_kernel: await linux.kernel(),
      kernel_initrd: initrd,
      kernel_args: [linux.CONSOLE, 'quiet', ...words].join(' '),
      ...values,
    })
  }

  /** Starts a VM that boots Linux, and waits for its shell. */
  async boot(vm: string): Promise<Guest> {
    await this.session.ok('VM.start', vm, false)
    return { vm, shell: this.#keep(await GuestShell.openBooting(this.#serialSocket(vm))) }
  }

  /** A shell in a guest that runs, from now until the lab is closed or the guest ends. */
  async shell(vm: string): Promise<GuestShell> {
    return this.#keep(await GuestShell.open(this.#serialSocket(vm)))
  }

  #serialSocket(vm: string): string {
    return join(this.data, 'qemu', vm, 'serial.sock')
  }

  #keep(shell: GuestShell): GuestShell {
    this.#shells.add(shell)
    return shell
  }

  /** The process that runs a VM. */
  async process(vm: string): Promise<number> {
    const [pid, ...others] = await qemuProcesses(join(this.data, 'qemu', vm))
    if (pid === undefined || others.length > 0) throw new Error(`VM ${vm} has not one process`)
    return pid
  }

  /** The command line of the process that runs a VM. */
  async commandLine(vm: string): Promise<readonly string[]> {
    return (await readFile(`/proc/${await this.process(vm)}/cmdline`, 'utf8')).split('\0')
  }

  /** A field, as a number. */
  async number(field: string, ref: string): Promise<number> {
    return Number(await this.session.ok(field, ref))
  }

  /** Makes a repository in a folder of its own; what lies there already becomes VDIs. */
  async repository(name: string): Promise<{ readonly sr: string; readonly location: string }> {
    const location = join(this.folder, name)
    await mkdir(location, { recursive: true })
    return { sr: await this.create('SR', { type: 'dir', location, name_label: name }), location }
  }
}

/** Runs a program of this machine; answers what it prints. Rejects where it fails. */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  return (await call(command, args)).stdout
}
