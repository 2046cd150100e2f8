import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BUILDS, windowsOf } from './host/windows.ts'
import type { Target } from './http/upstream.ts'

const DEFAULT_LISTEN = 'http://127.0.0.1:5985'
const DEFAULT_BUILD = 20348
const DEFAULT_USER = 'Administrator'
const PASSWORD_BYTES_MAX = 4096
const VMS_MAX = 100_000
const PORT_MAX = 65_535
const LATENCY_MS_MAX = 60_000
const PACE_MAX = 1000
const CPUS_MAX = 2048
const MEMORY_MB_MAX = 48 * 1024 * 1024

/** Options that cannot be followed; the message says which and what would do. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

/** Where to listen. */
export interface Listener {
  readonly isTls: boolean
  readonly address: string
  /** 0 for a free one; WinRM's own where none was named. */
  readonly port: number
}

/** What to record of a real host, and where. */
export interface Recording {
  readonly file: string
  readonly target: Target
}

/** A host as the command line asks for it. */
export interface SimOptions {
  readonly listen: readonly Listener[]
  readonly namespaces: readonly ('v1' | 'v2')[]
  readonly build: number
  readonly account: { readonly name: string; readonly password: string }
  /** How many machines a new host has; a host with a state has what it had. */
  readonly vms: number
  readonly stateFile: string | undefined
  readonly latencyMs: number
  readonly guest: 'linux' | 'windows' | 'none'
  readonly pace: number
  readonly cpus: number
  readonly memoryMb: number
  /** Undefined for true chance. */
  readonly seed: number | undefined
  readonly faultsFile: string | undefined
  readonly recording: Recording | undefined
  readonly name: string
  readonly locale: 'en-US' | 'ja-JP'
  readonly isBasicAllowed: boolean
  readonly isUnencryptedAllowed: boolean
  readonly keytab: string | undefined
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
  /** In PEM. */
  readonly clientCertificate: string | undefined
  readonly channelBinding: 'none' | 'relaxed' | 'strict'
}

export const HELP = `Usage: polyvisor-sim-hyperv --password-file FILE [option]…

A simulated Hyper-V host: it speaks WS-Management as a Windows Server does, and behind it are machines, disks and
networks that exist nowhere else. For tests of Hyper-V clients; never a host for real work.

  --listen URL            where to listen, http:// or https://, more than once if wanted; port 0 takes a free one
                          (${DEFAULT_LISTEN})
  --build NUMBER          the build of Windows it is: ${BUILDS.join(', ')} (${DEFAULT_BUILD})
  --namespace v1|v2|both  root\\virtualization, root\\virtualization\\v2, or both; what the build has, if left out
  --user NAME             the account of its administrator (${DEFAULT_USER})
  --password-file FILE    a file whose first line is that account's password
  --name NAME             its computer name (HVHOST)
  --locale en-US|ja-JP    the language it answers in (en-US)
  --vms N                 how many machines a new host begins with (0)
  --state FILE            keep everything in FILE, and the disks' files in FILE.files; absent, all is gone at the end
  --latency MS            how long each request takes longer (0)
  --guest linux|windows|none   what answers in the machines that clients define, whatever is on their disks (linux)
  --pace FACTOR           how long jobs take: 1 is as on a real host, 0 no time at all (1)
  --cpus N, --memory MB   what a new host has (16, 65536)
  --seed N                makes names, numbers and faults the same each time
  --faults FILE           what goes wrong, and when: see docs/simulated-host.md
  --basic                 allow Basic authentication, which a Windows host does not unless told to
  --allow-unencrypted     allow requests in clear text, likewise
  --keytab FILE           accept Kerberos for the service keys in FILE
  --cert FILE, --key FILE the certificate of https listeners; made for the occasion, if left out
  --client-cert FILE      accept this client certificate as the administrator's
  --channel-binding none|relaxed|strict   whether https logins must be bound to their channel (relaxed)
  --record FILE           be no host but a proxy to a real one, and add what passes to FILE as lines of JSON
  --record-from URL       the real host, such as http://hyperv-1:5985 or https://hyperv-1:5986
  --record-user NAME, --record-password-file FILE   an account of it
  --record-basic          log on to it with Basic instead of NTLM
  --record-ca FILE, --record-no-verify   what its certificate is held against, or that it is not
  --help                  this text

When it serves, one line of JSON goes to standard output: {"ready":true,"pid":…,"listeners":[{"url":…}],…}.
SIGTERM ends it. Exit codes: 0 ended as told, 1 could not go on, 2 wrong usage.
`

const OPTIONS = {
  listen: { type: 'string', multiple: true },
  build: { type: 'string' },
  namespace: { type: 'string' },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  name: { type: 'string' },
  locale: { type: 'string' },
  vms: { type: 'string' },
  state: { type: 'string' },
  latency: { type: 'string' },
  guest: { type: 'string' },
  pace: { type: 'string' },
  cpus: { type: 'string' },
  memory: { type: 'string' },
  seed: { type: 'string' },
  faults: { type: 'string' },
  basic: { type: 'boolean' },
  'allow-unencrypted': { type: 'boolean' },
  keytab: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'client-cert': { type: 'string' },
  'channel-binding': { type: 'string' },
  record: { type: 'string' },
  'record-from': { type: 'string' },
  'record-user': { type: 'string' },
  'record-password-file': { type: 'string' },
  'record-basic': { type: 'boolean' },
  'record-ca': { type: 'string' },
  'record-no-verify': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Reads the command line; undefined where only help is asked for. Throws OptionError. */
export function parseOptions(args: readonly string[]): SimOptions | undefined {
  const given = readArguments(args)
  if (given.help === true) return undefined
  const build = oneOf('--build', given.build ?? String(DEFAULT_BUILD), BUILDS.map(String))
  return {
    listen: (given.listen ?? [DEFAULT_LISTEN]).map(toListener),
    namespaces: toNamespaces(Number(build), given.namespace),
    build: Number(build),
    account: { name: given.user ?? DEFAULT_USER, password: readPassword('--password-file', given['password-file']) },
    vms: toNumber('--vms', given.vms ?? '0', VMS_MAX),
    stateFile: given.state,
    latencyMs: toNumber('--latency', given.latency ?? '0', LATENCY_MS_MAX),
    guest: oneOf('--guest', given.guest ?? 'linux', ['linux', 'windows', 'none']),
    pace: toFactor('--pace', given.pace ?? '1'),
    cpus: toNumber('--cpus', given.cpus ?? '16', CPUS_MAX),
    memoryMb: toNumber('--memory', given.memory ?? '65536', MEMORY_MB_MAX),
    seed: given.seed === undefined ? undefined : toNumber('--seed', given.seed, Number.MAX_SAFE_INTEGER),
    faultsFile: given.faults,
    recording: toRecording(given),
    name: toName(given.name ?? 'HVHOST'),
    locale: oneOf('--locale', given.locale ?? 'en-US', ['en-US', 'ja-JP']),
    isBasicAllowed: given.basic ?? false,
    isUnencryptedAllowed: given['allow-unencrypted'] ?? false,
    keytab: given.keytab,
    certificate: certificate(given.cert, given.key),
    clientCertificate: given['client-cert'] === undefined ? undefined : readText('--client-cert', given['client-cert']),
    channelBinding: oneOf('--channel-binding', given['channel-binding'] ?? 'relaxed', ['none', 'relaxed', 'strict']),
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new OptionError(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error))
  }
}

function oneOf<Word extends string>(option: string, value: string, words: readonly Word[]): Word {
  const found = words.find(word => word === value)
  if (found === undefined) throw new OptionError(`${option} is ${value}; it may be ${words.join(', ')}`)
  return found
}

function toNumber(option: string, text: string, max: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= max)) throw new OptionError(`${option} is ${text}; it may be a whole number up to ${max}`)
  return value
}

function toFactor(option: string, text: string): number {
  const value = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= PACE_MAX)) throw new OptionError(`${option} is ${text}; it may be a number from 0 to ${PACE_MAX}`)
  return value
}

function toListener(text: string): Listener {
  const [, scheme, host, port] =
    /^(https?):\/\/(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?(?:\/(?:wsman)?)?$/i.exec(text) ?? []
  if (scheme === undefined || host === undefined || Number(port ?? 0) > PORT_MAX) {
    throw new OptionError(
      `--listen is ${text}; it may be an address such as ${DEFAULT_LISTEN} or https://127.0.0.1:5986`,
    )
  }
  const isTls = scheme.toLowerCase() === 'https'
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return { isTls, address, port: port === undefined ? (isTls ? 5986 : 5985) : Number(port) }
}

function toNamespaces(build: number, wanted: string | undefined): readonly ('v1' | 'v2')[] {
  const windows = windowsOf(build)
  const has = [...(windows?.hasV1 ? (['v1'] as const) : []), ...(windows?.hasV2 ? (['v2'] as const) : [])]
  if (wanted === undefined) return has
  const namespaces = { v1: ['v1'], v2: ['v2'], both: ['v1', 'v2'] } as const
  const asked = namespaces[oneOf('--namespace', wanted, ['v1', 'v2', 'both'])]
  if (asked.every(namespace => has.includes(namespace))) return asked
  throw new OptionError(
    `--namespace is ${wanted}, but build ${build} (${windows?.caption.trim()}) has only ${has.join(' and ')}; ` +
      'v1 is in 7601 and 9200, v2 in 9200 and later',
  )
}

/** Source: Microsoft Learn, naming conventions in Active Directory: NetBIOS computer names. */
function toName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,14}$/.test(text)) {
    throw new OptionError(`--name is ${text}; it may be up to 15 letters, digits and hyphens`)
  }
  return text.toUpperCase()
}

function readPassword(option: string, file: string | undefined): string {
  if (file === undefined) throw new OptionError(`${option} is missing; its first line is the password`)
  const line = readText(option, file).slice(0, PASSWORD_BYTES_MAX).split(/\r?\n/)[0] ?? ''
  if (line === '') throw new OptionError(`${option} ${file} holds no password in its first line`)
  return line
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new OptionError(`${option} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function certificate(cert: string | undefined, key: string | undefined): SimOptions['certificate'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new OptionError('--cert and --key go together')
  return { cert: readText('--cert', cert), key: readText('--key', key) }
}

function toRecording(given: ReturnType<typeof readArguments>): Recording | undefined {
  const { record: file, 'record-from': from, 'record-user': user, 'record-ca': ca } = given
  if (file === undefined) {
    const stray = Object.keys(given).find(name => name.startsWith('record-'))
    if (stray !== undefined) throw new OptionError(`--${stray} needs --record`)
    return undefined
  }
  if (from === undefined || user === undefined) throw new OptionError('--record needs --record-from and --record-user')
  if (!/^https?:/.test(from) || !URL.canParse(from)) {
    throw new OptionError(`--record-from is ${from}; it may be an address such as http://hyperv-1:5985`)
  }
  return {
    file,
    target: {
      url: new URL('/wsman', from),
      user,
      password: readPassword('--record-password-file', given['record-password-file']),
      scheme: given['record-basic'] === true ? 'basic' : 'negotiate',
      isUnverified: given['record-no-verify'] ?? false,
      ...(ca === undefined ? {} : { ca: readText('--record-ca', ca) }),
    },
  }
}
