import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PlanError, readPlan } from './faults/plan-file.ts'
import { seededFaults } from './faults/seeded.ts'
import type { Faults } from './faults/plan.ts'
import type { Host } from './host/host.ts'
import { openHost, type OpenedHost } from './host/open-host.ts'
import { StateError } from './host/persistence.ts'
import { lockState } from './host/state-lock.ts'
import { randomOf } from './host/random.ts'
import { windowsOf } from './host/windows.ts'
import { listen, type Listening } from './http/server.ts'
import type { ListenOptions } from './http/options.ts'
import { record } from './http/record.ts'
import { repositoriesOf } from './repositories.ts'
import { OptionError, type SimOptions } from './options.ts'
import { selfSigned } from './self-signed.ts'
import type { WsmanService } from './wsman/exchange.ts'
import { wsmanService } from './wsman/service.ts'

/** A simulated host, or a recorder of a real one, that serves. */
export interface RunningSim {
  /** In the order of the options, without a path. */
  readonly urls: readonly string[]
  /** The machine's own; undefined for a recorder. */
  readonly host: Host | undefined
  /** Ends it as a host that is shut down. Calling it twice is harmless. */
  readonly close: () => Promise<void>
}

/** Told what an operator of the simulation should know: bugs, and a state that cannot be kept. */
export type Complain = (message: string) => void

/** Starts what the options ask for. Rejects with OptionError, or StateError, where that cannot be. */
export async function startSim(options: SimOptions, complain: Complain): Promise<RunningSim> {
  return options.recording === undefined ? startHost(options, complain) : startRecorder(options, complain)
}

async function startHost(options: SimOptions, complain: Complain): Promise<RunningSim> {
  const files = await openFiles(options)
  try {
    return await serveHost(options, files, complain)
  } catch (error) {
    await files.discard()
    throw error
  }
}

async function serveHost(options: SimOptions, files: Files, complain: Complain): Promise<RunningSim> {
  const { host, close: shutDown } = await open(options, files.folder, complain)
  try {
    const service = serviceOf(host, options, complain)
    const listeners = await openListeners(options, frontOf(options, complain), front => listen({ ...front, service }))
    let closed: Promise<void> | undefined
    const close = async () => {
      await Promise.all(listeners.map(listener => listener.close()))
      await shutDown()
      await files.discard()
    }
    return { urls: listeners.map(urlOf), host, close: () => (closed ??= close()) }
  } catch (error) {
    await shutDown()
    throw error
  }
}

function serviceOf(host: Host, options: SimOptions, complain: Complain): WsmanService {
  return wsmanService({
    host: { name: host.state.name, build: options.build, locale: options.locale },
    namespaces: repositoriesOf(host, options.namespaces),
    faults: host.faults,
    random: randomOf(seedOf(options, 'messages')),
    latency: { ms: options.latencyMs, chance: randomOf(seedOf(options, 'latency')) },
    onBug: error => complain(textOf(error)),
  })
}

async function startRecorder(options: SimOptions, complain: Complain): Promise<RunningSim> {
  const { recording } = options
  if (recording === undefined) throw new TypeError('a recorder needs something to record')
  const { file, target } = recording
  const open = (front: Front) => record({ target, file, listen: front })
  const listeners = await openListeners(options, frontOf(options, complain), open)
  let closed: Promise<void> | undefined
  const close = async () => {
    await Promise.all(listeners.map(listener => listener.close()))
  }
  return { urls: listeners.map(urlOf), host: undefined, close: () => (closed ??= close()) }
}

/** Where the files of the host's disks are. */
interface Files {
  readonly folder: string
  /** Lets go of them: of those beside a state to keep, of others for good. */
  readonly discard: () => Promise<void>
}

/** Beside the host's state, which nobody else may use meanwhile; else in a place that goes when it ends. */
async function openFiles({ stateFile }: SimOptions): Promise<Files> {
  if (stateFile !== undefined) {
    const folder = `${stateFile}.files`
    const discard = await lockState(stateFile)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return { folder, discard }
  }
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-sim-hyperv-'))
  return { folder, discard: () => rm(folder, { recursive: true, force: true }) }
}

async function open(options: SimOptions, folder: string, complain: Complain): Promise<OpenedHost> {
  const { stateFile, build } = options
  const opened = await openHost({
    name: options.name,
    build,
    cpus: options.cpus,
    memoryMb: options.memoryMb,
    vms: options.vms,
    guest: options.guest,
    pace: options.pace,
    locale: options.locale,
    faults: await faultsOf(options),
    folder,
    onStateError: error => complain(error.message),
    ...(options.seed === undefined ? {} : { seed: String(options.seed) }),
    ...(stateFile === undefined ? {} : { stateFile }),
  })
  const { state } = opened.host
  if (state.build === build) return opened
  await opened.close()
  throw new StateError(`${stateFile} is of a host of build ${state.build}; start it with --build ${state.build}`)
}

async function faultsOf({ faultsFile, seed, locale }: SimOptions): Promise<Faults> {
  const options = { locale, ...(seed === undefined ? {} : { seed: String(seed) }) }
  if (faultsFile === undefined) return seededFaults(options)
  try {
    return seededFaults({ ...options, plan: readPlan(await readFile(faultsFile, 'utf8')) })
  } catch (error) {
    if (error instanceof PlanError) throw new OptionError(`--faults ${faultsFile}: ${error.message}`)
    throw new OptionError(`--faults cannot be read: ${textOf(error)}`)
  }
}

/** A listener's options, without what is behind it. */
type Front = Omit<ListenOptions, 'service'>

function frontOf(options: SimOptions, complain: Complain): Omit<Front, 'address' | 'port' | 'tls'> {
  const { account, clientCertificate, keytab, build } = options
  const [major = 10, minor = 0] = (windowsOf(build)?.version ?? '').split('.').map(Number)
  return {
    hostName: options.name,
    osVersion: { major, minor, build },
    accounts: [account],
    policy: {
      allowUnencrypted: options.isUnencryptedAllowed,
      basic: options.isBasicAllowed,
      certificate: clientCertificate !== undefined,
      cbtHardening: options.channelBinding,
    },
    ...(keytab === undefined ? {} : { keytab }),
    ...(clientCertificate === undefined
      ? {}
      : { certificates: [{ certificate: clientCertificate, account: account.name }] }),
    onFailure: error => complain(textOf(error)),
  }
}

/** Opens them in turn; where one cannot be, those that were opened are closed again. */
async function openListeners(
  options: SimOptions,
  front: Omit<Front, 'address' | 'port' | 'tls'>,
  open: (front: Front) => Promise<Listening>,
): Promise<Listening[]> {
  const listeners: Listening[] = []
  try {
    for (const { isTls, address, port } of options.listen) {
      const tls = isTls ? { tls: options.certificate ?? (await selfSigned(namesOf(address))) } : {}
      listeners.push(await open({ ...front, ...tls, address, port }))
    }
    return listeners
  } catch (error) {
    await Promise.all(listeners.map(listener => listener.close()))
    throw error
  }
}

const namesOf = (address: string) => [...new Set([address, 'localhost', '127.0.0.1'])]

const urlOf = ({ url }: Listening): string => url.replace(/\/wsman$/, '')

const seedOf = ({ seed }: SimOptions, what: string) => (seed === undefined ? undefined : `${seed} ${what}`)

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
