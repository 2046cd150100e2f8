import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after } from 'node:test'
import { type HypervHost, startHost } from '../hyperv/setting.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { type HostName, toolsFor, uriOf } from './world.ts'

/** What differs between the kinds of hosts, for what is done to all of them. */
export interface HostTraits {
  readonly name: HostName
  /** The type of its domains. */
  readonly type: string
  /** What an attached disk is called, and on which bus it is. */
  readonly target: string
  /** A format of its images, and the ending of their files. */
  readonly format: string
  readonly ending: string
  /** The description of a network that it can have, between name and end. */
  readonly forward: string
  /** Whether its networks say what the gateway is. */
  readonly hasGateway: boolean
  /** Whether the files of its images can be read and written. */
  readonly hasFiles: boolean
  /** Whether the places of its pools can be removed. */
  readonly isRemovable: boolean
  /** A folder for images, of this name. */
  readonly folder: (server: Server, name: string) => string
  readonly separator: string
  /** What is alike for two kinds of hosts is tried with one of them. */
  readonly isTriedInPart?: true
}

const WINDOWS = {
  type: 'hyperv',
  target: 'sdb',
  forward: '',
  hasGateway: false,
  hasFiles: false,
  isRemovable: false,
  separator: '\\',
} as const

/** The kinds of hosts. */
export const HOSTS: readonly HostTraits[] = [
  {
    name: 'memory',
    type: 'test',
    target: 'vdb',
    format: 'raw',
    ending: 'raw',
    forward: `<forward mode='nat'/>`,
    hasGateway: true,
    hasFiles: true,
    isRemovable: true,
    folder: (_, name) => `/tmp/pools/${name}`,
    separator: '/',
  },
  {
    name: 'qemu',
    type: 'qemu',
    target: 'vdb',
    format: 'qcow2',
    ending: 'qcow2',
    forward: `<forward mode='nat'/>`,
    hasGateway: true,
    hasFiles: true,
    isRemovable: true,
    folder: ({ data }, name) => `${data}/sr/${name}`,
    separator: '/',
  },
  {
    name: 'v1',
    format: 'vpc',
    ending: 'vhd',
    folder: (_, name) => String.raw`C:\pools-${name}`,
    isTriedInPart: true,
    ...WINDOWS,
  },
  { name: 'v2', format: 'vhdx', ending: 'vhdx', folder: (_, name) => String.raw`C:\pools-${name}`, ...WINDOWS },
]

const URIS = { memory: 'memory:///lab?vms=1&seed=1', qemu: 'qemu:///system?accelerator=tcg' } as const
const SCHEMES: Readonly<Record<HostName, string>> = { memory: 'memory', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' }
const BUILDS = { v1: '7601', v2: '20348' } as const

/** A server with hosts of these kinds, which both its APIs are spoken with. Ends with the test file. */
export async function bothWorld(names: readonly HostName[]) {
  const simulated: HypervHost[] = []
  const uris: string[] = []
  for (const name of names) {
    if (name === 'memory' || name === 'qemu') uris.push(URIS[name])
    else {
      const host = await startHost('--build', BUILDS[name], '--pace', '0')
      simulated.push(host)
      uris.push(host.uri.href)
    }
  }
  const socket = `/tmp/pv-${crypto.randomUUID().slice(0, 8)}`
  const server = await startServer({ hosts: uris, options: ['--listen', `libvirt+unix://${socket}`] })
  const client = new ApiClient(server.http, 4)
  after(async () => {
    client.close()
    assert.equal(await server.stop(), 0, server.log())
    assert.doesNotMatch(server.log(), /an error that is not declared|"level":50/)
    for (const { sim } of simulated) await sim.close()
  })
  const root: Session = await client.login(ADMIN.name, ADMIN.password)
  const refs = await root.list('host.get_all')
  let files = 0
  /** A file that holds this text. */
  async function written(text: string): Promise<string> {
    const path = join(server.data, `${(files += 1)}.xml`)
    await writeFile(path, text)
    return path
  }
  const hostOf = (name: HostName): string => refs[names.indexOf(name)] ?? assert.fail(`there is no host ${name}`)
  return {
    server,
    root,
    hostOf,
    written,
    ...toolsFor((name: HostName) => uriOf(SCHEMES[name], hostOf(name), socket), server.data),
  }
}

/** A server with hosts, and what speaks with it. */
export type BothWorld = Awaited<ReturnType<typeof bothWorld>>

/** The names of the lines of a list that virsh printed, in order. */
export const listed = (text: string): string[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .toSorted()

/** A description of a network, as a host can have it. */
export const networkXml = ({ forward }: HostTraits, name: string, more = ''): string =>
  `<network><name>${name}</name>${forward}${more}</network>`

/** A description of a domain with as little as will do. */
export const domainXml = ({ type }: HostTraits, name: string): string =>
  `<domain type='${type}'><name>${name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
    <os><type arch='x86_64'>hvm</type></os></domain>`
