import { DriverError } from '../driver.ts'

/** What `memory:///NAME?vms=N&seed=S&latency=MS&faults=RATE` says; all but the name default to 0. */
export interface MemoryUri {
  /** `memory` where the URI has none. */
  readonly name: string
  /** How many domains the host has from the start. */
  readonly vms: number
  readonly seed: number
  /** The longest that a call waits, in milliseconds. */
  readonly latency: number
  /** The share of calls that fail, 0 to 1. */
  readonly faults: number
}

/** Each parameter of the URI and the largest value it may have. */
const PARAMETERS_MAX = { vms: 100_000, seed: Number.MAX_SAFE_INTEGER, latency: 60_000, faults: 1 } as const

/** Reads the URI of a memory host. Whatever it does not understand is refused by name. */
export function parseMemoryUri(uri: URL): MemoryUri {
  if (uri.host !== '' || uri.username !== '' || uri.password !== '') throw refused('has a host; write memory:///NAME')
  if (uri.hash !== '') throw refused(`has a fragment, ${uri.hash}`)
  for (const parameter of uri.searchParams.keys()) {
    if (!Object.hasOwn(PARAMETERS_MAX, parameter)) throw refused(`has an unknown parameter, ${parameter}`)
    if (uri.searchParams.getAll(parameter).length > 1) throw refused(`has the parameter ${parameter} twice`)
  }
  return {
    name: readName(uri),
    vms: readInteger(uri, 'vms'),
    seed: readInteger(uri, 'seed'),
    latency: readInteger(uri, 'latency'),
    faults: readNumber(uri, 'faults'),
  }
}

function readName(uri: URL): string {
  const path = uri.pathname.replace(/^\//, '')
  if (path.includes('/')) throw refused(`has a name with a slash, ${path}`)
  if (path === '') return 'memory'
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw refused(`has a name that is not well encoded, ${path}`, { cause: error })
  }
}

function readInteger(uri: URL, parameter: keyof typeof PARAMETERS_MAX): number {
  const value = readNumber(uri, parameter)
  if (!Number.isSafeInteger(value)) throw refused(`has a parameter ${parameter} that is not a whole number`)
  return value
}

function readNumber(uri: URL, parameter: keyof typeof PARAMETERS_MAX): number {
  const text = uri.searchParams.get(parameter)
  if (text === null) return 0
  const max = PARAMETERS_MAX[parameter]
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= max)) throw refused(`has a parameter ${parameter} that is not a number from 0 to ${max}`)
  return value
}

function refused(problem: string, options?: ErrorOptions): DriverError {
  return new DriverError('refused', `the URI of the memory host ${problem}`, options)
}
