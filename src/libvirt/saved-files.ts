import { isAbsolute } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { DomainConfig, SavedDomain, SavedFileOps } from '../drivers/driver.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import { checkExclusive, checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_SAVE_BYPASS_CACHE,
  VIR_DOMAIN_SAVE_PAUSED,
  VIR_DOMAIN_SAVE_RESET_NVRAM,
  VIR_DOMAIN_SAVE_RUNNING,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { readDomain } from './xml/domain-reader.ts'
import { writeDomain } from './xml/domain-writer.ts'

const STATES = [
  ['VIR_DOMAIN_SAVE_RUNNING', VIR_DOMAIN_SAVE_RUNNING],
  ['VIR_DOMAIN_SAVE_PAUSED', VIR_DOMAIN_SAVE_PAUSED],
] as const

/** Which flags are refused by what takes them from a file. */
export const RESTORE_REFUSED = { VIR_DOMAIN_SAVE_BYPASS_CACHE, VIR_DOMAIN_SAVE_RESET_NVRAM }
/** And by what puts them there. */
export const SAVE_REFUSED = { VIR_DOMAIN_SAVE_BYPASS_CACHE }

/** What saves domains to files that clients name; hosts that have no such thing do not support the function. */
export function savedFilesOf(host: Host, name: FunctionName): SavedFileOps {
  const { files } = host.group(name, 'suspension')
  if (files === undefined) throw host.error(VIR_ERR_NO_SUPPORT, name)
  return files
}

/** What `VIR_DOMAIN_SAVE_RUNNING` and `VIR_DOMAIN_SAVE_PAUSED` say that a domain is to be when it comes back, if anything. */
export function stateByFlags(
  name: FunctionName,
  flags: number,
  refused: Readonly<Record<string, number>>,
): Pick<Partial<SavedDomain>, 'paused'> {
  checkFlags(name, flags, { known: VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED, refused })
  checkExclusive(name, flags, STATES)
  if (has(flags, VIR_DOMAIN_SAVE_PAUSED)) return { paused: true }
  return has(flags, VIR_DOMAIN_SAVE_RUNNING) ? { paused: false } : {}
}

/** Demands a path by which a host knows a file, whoever asks. */
export function checkPath(host: Host, name: FunctionName, path: string): void {
  if (isAbsolute(path)) return
  throw host.error(VIR_ERR_INVALID_ARG, `${JSON.stringify(path)} in ${name} is no absolute path`)
}

/** Describes what a saved domain is made of. */
export async function describeSaved(host: Host, config: DomainConfig): Promise<string> {
  const isPlugged = config.nics?.some(({ network }) => network !== null) === true
  return writeDomain(config, { kind: host.kind, networks: isPlugged ? await host.networks() : [] })
}

/** What a domain is to be restored as, where a client describes it. */
export async function describedBy(host: Host, xml: string | undefined): Promise<{ readonly config?: DomainConfig }> {
  if (xml === undefined) return {}
  const networks = await host.networksFor(xml)
  return { config: readDomain(xml, { kind: host.kind, networks, newId: () => randomUUID() }) }
}
