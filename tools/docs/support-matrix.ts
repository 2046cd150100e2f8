import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Driver, OPTIONAL_GROUPS } from '../../src/drivers/driver.ts'
import { drivers } from '../../src/drivers/registry.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

const URIS: Readonly<Record<string, string>> = { memory: 'memory:///matrix', qemu: 'qemu:///system' }

/** The group `power` is there only where programs are configured for it; here they are never run. */
const HOST_POWER = { shutdown: ['true'], reboot: ['true'] } as const

/** Which driver has which group of operations, read off the drivers themselves. */
export async function supportMatrix(): Promise<string> {
  const columns = await Promise.all(Object.keys(drivers).map(async scheme => [scheme, await groupsOf(scheme)] as const))
  const groups = ['host', 'domains', ...OPTIONAL_GROUPS]
  const rows = groups.map(group => [group, ...columns.map(([, present]) => (present.has(group) ? 'yes' : 'no'))])
  return `${GENERATED_NOTE}# What each driver supports

Operations come in groups. A group that a driver does not have is refused with \`DRIVER_UNSUPPORTED\`.
The group \`power\` is there only where the operator's configuration allows it.

${table(['Group', ...columns.map(([scheme]) => scheme)], rows)}`
}

async function groupsOf(scheme: string): Promise<ReadonlySet<string>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyvisor-matrix-'))
  const connect = drivers[scheme]
  const uri = URIS[scheme]
  if (connect === undefined || uri === undefined) throw new TypeError(`no URI to try the driver ${scheme} with`)
  let driver: Driver | undefined
  try {
    driver = await connect({ uri: new URL(uri), dataDir, warn: () => undefined, hostPower: HOST_POWER })
    return new Set(Object.keys(driver))
  } finally {
    await driver?.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}
