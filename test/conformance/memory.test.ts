import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OPTIONAL_GROUPS } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/memory/index.ts'
import { readPowerDeeds, powerPrograms } from './power-programs.ts'
import { type Guest, describeDriver, type Setup, type Traits } from './suite.ts'

const MIB = 1_048_576

const TRAITS: Traits = {
  groups: OPTIONAL_GROUPS.filter(group => group !== 'power'),
  formats: ['qcow2', 'raw', 'vhd', 'vhdx'],
  guests: [
    'obedient',
    'broken',
    'deaf',
    'crashing',
    'suspending',
    'rebooting',
    'yielding',
    'clinging',
    'talking',
    'mute',
  ],
  outlivesConnection: true,
  savesToFiles: true,
  settleMs: 30_000,
  testMs: 90_000,
}

const NAMES: Readonly<Record<Guest, string>> = {
  obedient: 'web',
  broken: 'vm-that-fails-to-start',
  deaf: 'vm-that-ignores-shutdown',
  crashing: 'vm-that-crashes',
  suspending: 'vm-that-suspends',
  rebooting: 'vm-that-reboots',
  yielding: 'web',
  clinging: 'vm-that-clings',
  talking: 'web',
  mute: 'vm-without-agent',
}

let hosts = 0

function setUp(parameters: string): () => Promise<Setup> {
  return async () => {
    const uri = new URL(`memory:///conformance-${(hosts += 1)}?${parameters}`)
    return {
      connect: () => connect({ uri }),
      domainConfig: guest => ({
        id: crypto.randomUUID(),
        name: `${NAMES[guest]}-${crypto.randomUUID().slice(0, 8)}`,
        description: '',
        memoryBytes: 64 * MIB,
        vcpus: 1,
        boot: { kind: 'firmware', device: 'disk' },
        disks: [],
      }),
      place: name => `/saved/${name}`,
      repository: { type: 'memory', location: '/sr' },
      tearDown: async () => {},
    }
  }
}

/** A host whose machine may be shut down, or so it thinks. */
async function setUpWithPower(): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-power-'))
  const uri = new URL(`memory:///conformance-${(hosts += 1)}`)
  const setup = await setUp('vms=3')()
  return {
    ...setup,
    connect: () => connect({ uri, hostPower: powerPrograms(folder) }),
    powerDeeds: () => readPowerDeeds(folder),
    tearDown: () => rm(folder, { recursive: true, force: true }),
  }
}

describeDriver('memory', { ...TRAITS, groups: OPTIONAL_GROUPS }, setUpWithPower)
describeDriver('memory with latency', TRAITS, setUp('vms=100&latency=5'))
