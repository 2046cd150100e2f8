import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from '../support/machine.ts'

const READY_MS = 30_000
/** Windows stand side by side, for no window manager brings one to the front. */
const SCREEN = '2560x1700x24'

/** GTK's own settings; what moves slowly into its place is only waited for. */
const SETTINGS = '[Settings]\ngtk-enable-animations=0\n'
/** A session of its own, in which nothing starts that was not asked for. Source: dbus-daemon(1). */
const busConfiguration = (folder: string) => `<busconfig>
  <type>session</type>
  <listen>unix:path=${folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`

/** A screen that nobody sees, with what programs need to be operated by others: a session bus and the bus of AT-SPI. */
export class Desktop {
  readonly folder: string
  /** The whole environment of its programs. */
  readonly environment: NodeJS.ProcessEnv
  readonly #groups: number[] = []
  readonly #end = () => this.#signal('SIGKILL')

  private constructor(folder: string) {
    this.folder = folder
    this.environment = {
      PATH: '/usr/bin:/bin',
      HOME: folder,
      TMPDIR: folder,
      XDG_RUNTIME_DIR: folder,
      XDG_CONFIG_HOME: join(folder, 'config'),
      LC_ALL: 'C.UTF-8',
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/bus`,
      GSETTINGS_BACKEND: 'memory',
      GIO_USE_VFS: 'local',
    }
    process.once('exit', this.#end)
  }

  /** Rejects, with nothing left behind, where one of its programs does not start. */
  static async open(): Promise<Desktop> {
    const desktop = new Desktop(await mkdtemp(join(tmpdir(), 'pv-desktop-')))
    try {
      await desktop.#start()
      return desktop
    } catch (error) {
      await desktop.close()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { folder } = this
    await mkdir(join(folder, 'config', 'gtk-3.0'), { recursive: true })
    await writeFile(join(folder, 'config', 'gtk-3.0', 'settings.ini'), SETTINGS)
    await writeFile(join(folder, 'bus.conf'), busConfiguration(folder))
    const screen = this.run('Xvfb', '-displayfd', '1', '-screen', '0', SCREEN, '-wr', '-nolisten', 'tcp', '-noreset')
    this.environment['DISPLAY'] = `:${await firstLine(screen)}`
    await firstLine(this.run('dbus-daemon', `--config-file=${folder}/bus.conf`, '--nofork', '--print-address'))
    this.run('/usr/libexec/at-spi-bus-launcher', '--launch-immediately')
    await until('the bus of AT-SPI', async () => ((await readdir(folder)).includes('at-spi') ? true : undefined))
  }

  /** Starts a program on the screen; it and its children end with the desktop. */
  run(command: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
    // A test that is killed has no time to end it: then the kernel does. Source: setpriv(1), of util-linux.
    const words = ['--pdeathsig', 'TERM', '--', command, ...args]
    const child = spawn('setpriv', words, { env: this.environment, detached: true, stdio: 'pipe' })
    child.stderr.resume() // Nobody has to read what it complains of.
    child.on('error', () => undefined) // Whoever waits for its output hears of it.
    if (child.pid !== undefined) this.#groups.push(child.pid)
    return child
  }

  /** Ends all that runs on it. Resolves when it has ended. Calling it twice is harmless. */
  async close(): Promise<void> {
    this.#signal('SIGTERM')
    await until('the desktop to end', async () => {
      this.#signal('SIGTERM')
      return (await groupsAlive(this.#groups)) ? undefined : true
    })
    process.off('exit', this.#end)
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #signal(signal: NodeJS.Signals): void {
    for (const group of this.#groups) {
      try {
        process.kill(-group, signal)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
      }
    }
  }
}

/** Whether a process that has not ended is in one of these groups. Source: proc(5), stat. */
async function groupsAlive(groups: readonly number[]): Promise<boolean> {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const states = await Promise.all(ids.map(id => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')))
  return states.some(state => {
    const [life = '', , group = ''] = state.slice(state.lastIndexOf(')') + 2).split(' ')
    return life !== '' && life !== 'Z' && groups.includes(Number(group))
  })
}

/** The first line that a program prints. Rejects where it ends before, or does not start. */
async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  const lines = createInterface({ input: child.stdout })
  const gone = new AbortController()
  for (const end of ['error', 'exit']) child.once(end, () => gone.abort(new Error(`${child.spawnfile} ended`)))
  const [line] = await once(lines, 'line', { signal: AbortSignal.any([AbortSignal.timeout(READY_MS), gone.signal]) })
  return String(line)
}
