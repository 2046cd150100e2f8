import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { ConfigurationError } from './configuration-error.ts'
import { type Listener, parseListener } from './listener.ts'

/** What `polyvisor serve` is told on its command line. */
export interface ServeOptions {
  readonly data?: string
  readonly config?: string
  readonly listen: readonly string[]
  readonly host: readonly string[]
  readonly allowPlainHttp: boolean
  readonly logLevel?: string
  readonly allowPath: readonly string[]
}

/** The options with everything decided. */
export interface Configuration {
  readonly data: string
  readonly listeners: readonly Listener[]
  readonly hosts: readonly string[]
  readonly logLevel: string
  /** Where clients may name files; undefined leaves it to `Paths`. */
  readonly allowPaths?: readonly string[]
  /** The programs that clients may have shut the machine down and reboot it; without them, they may not. */
  readonly hostPower?: { readonly shutdown: readonly string[]; readonly reboot: readonly string[] }
  /** How long a guest may take to shut down once it was asked; undefined leaves it to `Hosts`. */
  readonly shutdownMs?: number
}

/** Whoever waits longer for a guest would be waiting for nothing. */
const SHUTDOWN_SECONDS_MAX = 3600

/** Decides everything that the command line, the configuration file and the environment leave open. Rejects with ConfigurationError. */
export async function configure(options: ServeOptions): Promise<Configuration> {
  const file = options.config === undefined ? {} : await readConfiguration(options.config)
  const data = resolve(options.data ?? file.data ?? process.env['POLYVISOR_DATA'] ?? defaultData())
  const allowPlainHttp = options.allowPlainHttp || file.allowPlainHttp === true
  const urls = options.listen.length > 0 ? options.listen : (file.listen ?? defaultListeners(data))
  const allowPaths = options.allowPath.length > 0 ? options.allowPath : file.allowPaths
  return {
    data,
    listeners: urls.map(url => spoken(parseListener(url, { allowPlainHttp }))),
    hosts: options.host.length > 0 ? options.host : (file.hosts ?? []),
    logLevel: options.logLevel ?? file.logLevel ?? 'info',
    ...(allowPaths && { allowPaths: allowPaths.map(checkedPath) }),
    ...(file.hostPower && { hostPower: file.hostPower }),
    ...(file.shutdownTimeoutSeconds && { shutdownMs: file.shutdownTimeoutSeconds * 1000 }),
  }
}

/** Until dialect 1 exists, every listener of the Xen Management API speaks 0.2. */
const spoken = (listener: Listener): Listener => ('dialect' in listener ? { ...listener, dialect: '0.2' } : listener)

function checkedPath(path: string): string {
  if (isAbsolute(path)) return path
  throw new ConfigurationError(`cannot allow clients the path ${path}: name it from the root on`)
}

const defaultData = (): string =>
  process.getuid?.() === 0 ? '/var/lib/polyvisor' : join(homedir(), '.local', 'share', 'polyvisor')

function defaultListeners(data: string): readonly string[] {
  const folder = data.split('/').map(encodeURIComponent).join('/')
  return [
    'http://127.0.0.1:4464?dialect=0.2',
    'https://127.0.0.1:4443?dialect=1',
    `unix://${folder}/xenapi.sock?dialect=1`,
    `libvirt+unix://${folder}/libvirt-sock`,
  ]
}

/** The configuration file: JSON, with the options of the command line by name. */
async function readConfiguration(path: string) {
  const { z } = await import('zod')
  // Without a shell, so that nothing in it means anything.
  const command = z
    .array(z.string())
    .min(1)
    .refine(([program = '']) => isAbsolute(program), 'the program needs its whole path')
  const shape = z.strictObject({
    data: z.string().min(1).optional(),
    listen: z.array(z.string()).min(1).optional(),
    hosts: z.array(z.string()).optional(),
    allowPlainHttp: z.boolean().optional(),
    allowPaths: z.array(z.string().min(1)).optional(),
    shutdownTimeoutSeconds: z.int().min(1).max(SHUTDOWN_SECONDS_MAX).optional(),
    hostPower: z.strictObject({ shutdown: command, reboot: command }).optional(),
    logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).optional(),
  })
  try {
    return shape.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const reason = error instanceof z.ZodError ? error.issues.map(sentenceOf).join('; ') : String(error)
    throw new ConfigurationError(`the configuration file ${path} cannot be used: ${reason}`, { cause: error })
  }
}

/** In one line, for the log. */
const sentenceOf = ({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): string =>
  path.length === 0 ? message : `${path.join('.')}: ${message}`
