import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { parseOptions } from '../../sim/hyperv/options.ts'
import { startSim } from '../../sim/hyperv/start.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'
import { describeDriver, type Guest, type Setup, type Traits } from './suite.ts'

const MIB = 1_048_576

const TRAITS: Traits = {
  groups: ['suspension', 'events'],
  guests: ['obedient', 'broken'],
  outlivesConnection: true,
  settleMs: 10_000,
  testMs: 30_000,
}

const NAMES: Readonly<Partial<Record<Guest, string>>> = { obedient: 'web', broken: 'vm-that-fails-to-start' }

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-conformance-'))
const passwordFile = join(folder, 'password')
writeFileSync(passwordFile, HYPERV_ADMIN.password)
after(() => rmSync(folder, { recursive: true }))

/** A host for each test, in this process. Jobs and guests take a fiftieth of the time that real ones do. */
function setUp(build: number): () => Promise<Setup> {
  return async () => {
    const where = ['--listen', 'http://127.0.0.1:0', '--password-file', passwordFile, '--build', String(build)]
    const options = parseOptions([...where, '--guest', 'linux', '--pace', '0', '--vms', '2'])
    assert(options !== undefined)
    const complaints: string[] = []
    const sim = await startSim(options, message => complaints.push(message))
    const { host } = new URL(sim.urls[0] ?? '')
    const uri = new URL(`hyperv://${HYPERV_ADMIN.name}@${host}/?transport=http&password_file=${passwordFile}`)
    return {
      connect: () => connect({ uri, warn: message => complaints.push(message) }),
      domainConfig: guest => ({
        id: crypto.randomUUID(),
        name: `${NAMES[guest]}-${crypto.randomUUID().slice(0, 8)}`,
        description: '',
        memoryBytes: 64 * MIB,
        vcpus: 1,
        boot: { kind: 'firmware', device: 'disk' },
        disks: [],
      }),
      async tearDown() {
        await sim.close()
        assert.deepEqual(complaints, [])
      },
    }
  }
}

for (const build of [20_348]) describeDriver(`hyperv on the simulated host, build ${build}`, TRAITS, setUp(build))
