import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseOptions } from '../../sim/hyperv/options.ts'
import { startSim } from '../../sim/hyperv/start.ts'
import { type Driver, OPTIONAL_GROUPS } from '../../src/drivers/driver.ts'
import { drivers } from '../../src/drivers/registry.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

/** A host to try a driver with, and what ends it. */
interface TrialHost {
  readonly uri: string
  readonly close?: () => Promise<void>
}

const HOSTS: Readonly<Record<string, (folder: string) => Promise<TrialHost>>> = {
  memory: async () => ({ uri: 'memory:///matrix' }),
  hyperv: simulatedHyperv,
  qemu: async () => ({ uri: 'qemu:///system' }),
}

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
  const host = await HOSTS[scheme]?.(dataDir)
  if (connect === undefined || host === undefined) throw new TypeError(`no host to try the driver ${scheme} with`)
  let driver: Driver | undefined
  try {
    driver = await connect({ uri: new URL(host.uri), dataDir, warn: () => undefined, hostPower: HOST_POWER })
    return new Set(Object.keys(driver))
  } finally {
    await driver?.close()
    await host.close?.()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function simulatedHyperv(folder: string): Promise<TrialHost> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, 'matrix')
  const options = parseOptions(['--listen', 'http://127.0.0.1:0', '--password-file', passwordFile])
  if (options === undefined) throw new TypeError('the simulated host only gives help')
  const sim = await startSim(options, message => process.stderr.write(`${message}\n`))
  const { host } = new URL(sim.urls[0] ?? '')
  return { uri: `hyperv://Administrator@${host}/?transport=http&password_file=${passwordFile}`, close: sim.close }
}
