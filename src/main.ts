/** Reads the configuration and puts the rooms together. */

import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { DriverError } from './drivers/driver.ts'
import { drivers } from './drivers/registry.ts'
import { Accounts } from './engine/accounts.ts'
import type { Services } from './engine/context.ts'
import { Engine } from './engine/engine.ts'
import { ensureFirstUser, FIRST_USER } from './engine/first-user.ts'
import { Hosts } from './engine/hosts.ts'
import { watchImages } from './engine/image-use.ts'
import { Locks } from './engine/locks.ts'
import { Sampler } from './engine/metrics.ts'
import { Paths } from './engine/paths.ts'
import { SCRAM_WAY_OUT } from './engine/scram-logins.ts'
import { Sessions } from './engine/sessions.ts'
import { Tasks } from './engine/tasks.ts'
import { consoleOpener } from './engine/terminals.ts'
import { autostarter } from './handlers/autostart.ts'
import { implementations } from './handlers/index.ts'
import { undoInterrupted } from './handlers/intent.ts'
import { ensureNetwork } from './handlers/first-network.ts'
import { KeptNetworks } from './handlers/kept-networks.ts'
import { KeptPools } from './handlers/kept-pools.ts'
import { watchMemory } from './handlers/memory.ts'
import { ensureRepository, observeRepository, scan } from './handlers/repository.ts'
import { UntoldChanges } from './handlers/untold-changes.ts'
import { crashTreatment } from './handlers/vm-crash.ts'
import { forgetUndefined } from './handlers/vm-definition.ts'
import { retellActions } from './handlers/vm-life.ts'
import { followed, LibvirtFace } from './libvirt/rpc/index.ts'
import { fail } from './model/errors.ts'
import { host_, SR, storedClasses } from './model/index.ts'
import { ApiError } from './model/kernel/error.ts'
import { type Configuration, configure, type ServeOptions } from './server/configuration.ts'
import { ConfigurationError } from './server/configuration-error.ts'
import { libvirtHosts } from './server/libvirt-hosts.ts'
import type { Listener } from './server/listener.ts'
import { type RunningServer, startServer } from './server/server.ts'
import { xmlRpcFace } from './server/xmlrpc.ts'
import { openStore } from './store/open.ts'
import { sqliteLog } from './store/sqlite/log.ts'
import { StoreUnavailable } from './store/store.ts'

const GRACE_MS = 10_000
const SWEEP_MS = 60_000
const DEFAULT_HOST = 'qemu:///system'
const HOST_WITHOUT_QEMU = 'memory:///'

/** Where the command line looks for the listeners, in the data directory; there while the server runs. */
const LISTENERS_FILE = 'listeners.json'

/** Everything that runs. */
interface Running {
  readonly data: string
  readonly services: Services
  readonly server: RunningServer
  readonly stopMeasuring: () => void
}

/**
 * Serves until SIGTERM or SIGINT, then stops cleanly; guests go on running. Rejects with ConfigurationError where
 * the options cannot be followed.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const configuration = await configure(options)
  const log = pino(
    { level: configuration.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination(2),
  )
  try {
    const stop = stopSignal()
    const running = await start(configuration, log)
    const { promise: stopped, signal } = stop
    await stopped
    log.info({ signal: signal() }, 'stopping; guests go on running')
    await close(running)
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new ConfigurationError(error.message, { cause: error })
    throw error
  }
}

async function start(configuration: Configuration, log: pino.Logger): Promise<Running> {
  const { data } = configuration
  await mkdir(data, { recursive: true, mode: 0o700 })
  const localSecret = randomBytes(32).toString('hex')
  const warn = (message: string) => log.warn(message)
  const store = await openStore({ classes: storedClasses, log: sqliteLog({ folder: data, warn }), warn })
  try {
    const services = createServices(store, configuration, localSecret, log)
    const engine = new Engine({ services, implementations, log })
    await services.tasks.failInterrupted()
    await createFirstUser(services, data, log)
    const hosts = await connectHosts(services, configuration, log)
    await writePrivate(join(data, 'local-secret'), localSecret)
    const { listeners } = configuration
    const warnOf = (message: string, details: object = {}) => log.warn(details, message)
    const untold = new UntoldChanges(services, warnOf)
    const server = await startServer({
      listeners,
      libvirt: {
        face: new LibvirtFace({
          hosts: libvirtHosts({ services, keepersOf: host => keepersOf(services, untold, host), warn: warnOf }),
          warn: warnOf,
        }),
        accounts: new Accounts({ ...services, log }),
      },
      handle: xmlRpcFace(engine),
      openConsole: consoleOpener(services),
      log,
      dataDir: data,
    })
    tellOfOldPasswords(services, listeners, log)
    const stopMeasuring = measure(services, log)
    sweepRegularly(services, log)
    const { addresses } = server
    await writePrivate(join(data, LISTENERS_FILE), JSON.stringify({ pid: process.pid, listeners: addresses }))
    announce({ ready: true, pid: process.pid, data, listeners: addresses, hosts })
    return { data, services, server, stopMeasuring }
  } catch (error) {
    await store.close()
    throw error
  }
}

function createServices(
  store: Services['store'],
  { data, allowPaths, hostPower, shutdownMs }: Configuration,
  localSecret: string,
  log: pino.Logger,
): Services {
  const now = Date.now
  const connect = async (uri: URL, signal: AbortSignal) => {
    const open = drivers[uri.protocol.slice(0, -1)]
    if (open === undefined) {
      const reason = `no driver for ${uri.protocol}; there are ${Object.keys(drivers).join(', ')}`
      throw fail('HOST_URI_INVALID', { uri: uri.href, reason })
    }
    const warn = (message: string, details: object = {}) => log.warn(details, message)
    // From the beginning, for clients of libvirt ask why domains are what others have made of them.
    return followed(await open({ uri, dataDir: data, warn, signal, ...(hostPower && { hostPower }) }))
  }
  const owner = randomUUID()
  const locks = new Locks()
  const hosts = new Hosts({
    store,
    locks,
    log,
    owner,
    connect,
    onCrashed: vm => treatCrash(vm),
    onConnected: async () => {
      await undoInterrupted(services, message => log.warn(message))
      await retellActions(services)
      await autostart()
    },
    ...(shutdownMs && { shutdownMs }),
  })
  const sessions = new Sessions({ store, now, localSecret })
  // Work inside a task throws ApiErrors only; what comes here otherwise is a store that cannot keep the result.
  const toApiError = (error: unknown) => {
    if (error instanceof ApiError) return error
    const id = randomUUID()
    log.error({ id, error: String(error) }, 'a task could not be ended')
    return fail('INTERNAL_ERROR', { id })
  }
  const tasks = new Tasks({ store, now, owner, toApiError })
  const paths = new Paths({ dataDir: data, ...(allowPaths && { allowed: allowPaths }) })
  const services = { store, hosts, sessions, tasks, paths, locks }
  const treatCrash = crashTreatment(services, log)
  const autostart = autostarter(services, log)
  return services
}

const keepersOf = (services: Services, untold: UntoldChanges, host: string) => ({
  pools: new KeptPools(services, host),
  networks: new KeptNetworks(services, host),
  tell: () => untold.tell(host),
  forget: (domain: string) => forgetUndefined(services, host, domain),
})

async function createFirstUser(services: Services, data: string, log: pino.Logger): Promise<void> {
  const given = process.env['POLYVISOR_ADMIN_PASSWORD']
  delete process.env['POLYVISOR_ADMIN_PASSWORD'] // No child process, and so no guest's, is to inherit it.
  const file = join(data, 'initial-password')
  await ensureFirstUser(services, given === '' ? undefined : given, async password => {
    await writePrivate(file, `${password}\n`)
    log.info({ user: FIRST_USER, file }, 'first start: the password of the first user is in this file')
  })
}

/** Where passwords are proven without being shown, those that an older version has set are not good yet. */
function tellOfOldPasswords({ sessions }: Services, listeners: readonly Listener[], log: pino.Logger): void {
  const users = sessions.credentials.namesWithoutScram()
  if (users.length === 0 || !listeners.some(listener => 'auth' in listener && listener.auth === 'sasl')) return
  log.warn({ users, wayOut: SCRAM_WAY_OUT }, 'these users cannot log in to libvirt with their passwords yet')
}

/** Connects what the store knows and what the command line names; with neither, QEMU if it is here. */
async function connectHosts(services: Services, { hosts: uris }: Configuration, log: pino.Logger) {
  const { hosts, store } = services
  await hosts.connectKnown()
  const isFirst = store.all(host_).length === 0
  for (const uri of uris.length === 0 && isFirst ? [DEFAULT_HOST] : uris) {
    await connectHost(services, uri, log).catch(async error => {
      if (!(error instanceof DriverError)) throw error
      if (store.all(host_).some(host => store.get(host_, host)?.uri === URL.parse(uri)?.href)) return // Tried again already.
      if (uris.length > 0) throw new ConfigurationError(`cannot connect ${uri}: ${error.message}`, { cause: error })
      log.warn({ reason: error.message }, `no QEMU here; serving ${HOST_WITHOUT_QEMU} instead, a host of pretended VMs`)
      await connectHost(services, HOST_WITHOUT_QEMU, log)
    })
  }
  // First what is half-made goes, or a scan would take it for somebody's.
  await undoInterrupted(services, message => log.warn(message))
  for (const sr of store.all(SR)) if (store.get(SR, sr)?.stopped === false) await rescan(services, sr, log)
  const live = new Set(hosts.connected().map(connection => connection.host))
  return store.all(host_).map(uuid => ({ uuid, uri: store.get(host_, uuid)?.uri ?? '', live: live.has(uuid) }))
}

async function connectHost(services: Services, uri: string, log: pino.Logger): Promise<void> {
  try {
    const known = new Set(services.store.all(host_))
    const host = await services.hosts.add(uri)
    await ensureRepository(services, host)
    if (!known.has(host)) await giveNetwork(services, host, log)
    log.info({ uri, host }, 'host connected')
  } catch (error) {
    if (error instanceof ApiError) throw new ConfigurationError(error.message, { cause: error })
    throw error
  }
}

/** A host is of use without. */
async function giveNetwork(services: Services, host: string, log: pino.Logger): Promise<void> {
  try {
    await ensureNetwork(services, host)
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    log.warn({ host, reason: error.message }, 'the first network of a host could not be made')
  }
}

/** Images may have come or gone while nobody looked. A repository that cannot be read now is no reason not to serve. */
async function rescan(services: Services, sr: string, log: pino.Logger): Promise<void> {
  try {
    await scan(services, sr)
  } catch (error) {
    log.warn({ sr, reason: String(error) }, 'a repository could not be read')
  }
}

function sweepRegularly(services: Services, log: pino.Logger): void {
  const { sessions, tasks } = services
  const sweep = async () => {
    await sessions.sweep()
    await tasks.sweep()
    // What a host had not finished when it was looked for.
    await undoInterrupted(services, message => log.warn(message))
  }
  setInterval(
    () => void sweep().catch(error => log.warn({ reason: String(error) }, 'sweeping failed')),
    SWEEP_MS,
  ).unref()
}

/** Reads what VMs and hosts use, and shares memory out, until the function it answers is called. */
function measure(services: Services, log: pino.Logger): () => void {
  const { store, hosts } = services
  const sampler = new Sampler({ store, hosts, log })
  sampler.start()
  const stopWatching = watchImages({ store, hosts, log, observeRepository: sr => observeRepository(services, sr) })
  const stopSharing = watchMemory(services, log)
  return () => {
    sampler.close()
    stopSharing()
    stopWatching()
  }
}

async function close({ data, services, server, stopMeasuring }: Running): Promise<void> {
  await rm(join(data, LISTENERS_FILE), { force: true })
  const { store, hosts, tasks } = services
  await Promise.all([server.close(GRACE_MS), tasks.close(GRACE_MS)])
  stopMeasuring()
  await hosts.close()
  await store.close()
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(): { readonly promise: Promise<void>; readonly signal: () => string } {
  const { promise, resolve: stop } = Promise.withResolvers<void>()
  let received = ''
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (received !== '') process.exit(1)
      received = name
      stop()
    })
  }
  return { promise, signal: () => received }
}

const announce = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

/** For its owner alone, written beside its place and moved there, so that nobody reads half of it. */
async function writePrivate(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await chmod(`${file}.new`, 0o600)
  await rename(`${file}.new`, file)
}
