import assert from 'node:assert/strict'
import type { WsmanClient } from '../../src/protocols/wsman/index.ts'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { DELAY_MS, NAME, type View } from './client-checks.ts'
import { FACE_V1, FACE_V2, type Face } from './client-faces.ts'
import { connect } from './client-world.ts'

/** What each build of Windows says of itself, and has. */
export const BUILDS = [
  { build: 7601, version: '6.1.7601', stack: '2.0', faces: [FACE_V1] },
  { build: 9200, version: '6.2.9200', stack: '3.0', faces: [FACE_V1, FACE_V2] },
  { build: 9600, version: '6.3.9600', stack: '3.0', faces: [FACE_V2] },
  { build: 14393, version: '10.0.14393', stack: '3.0', faces: [FACE_V2] },
  { build: 17763, version: '10.0.17763', stack: '3.0', faces: [FACE_V2] },
  { build: 20348, version: '10.0.20348', stack: '3.0', faces: [FACE_V2] },
  { build: 26100, version: '10.0.26100', stack: '3.0', faces: [FACE_V2] },
] as const

/** A host of a build and language, and clients of it. */
export class BuildHost {
  readonly #host: SimHyperv
  readonly #locale: string
  readonly #clients: WsmanClient[] = []

  private constructor(host: SimHyperv, locale: string) {
    this.#host = host
    this.#locale = locale
  }

  static async start(build: number, locale: string): Promise<BuildHost> {
    const options = ['--build', String(build), '--locale', locale, '--vms', '2', '--pace', '0', '--seed', '1']
    return new BuildHost(await startSimHyperv(...options), locale)
  }

  /** Makes a machine to look at. */
  async view(face: Face): Promise<View> {
    const client = this.#connect(face.namespace)
    return { client, face, locale: this.#locale, machine: await face.define(client, NAME, DELAY_MS) }
  }

  /** Has the host say what it is. */
  async checkIdentity(version: string, stack: string): Promise<void> {
    const client = this.#connect('root/cimv2')
    const identity = await client.identify()
    assert.deepEqual([identity.osVersion, identity.stackVersion], [version, stack])
    const [system] = await client.query('Win32_OperatingSystem')
    assert.deepEqual([system?.string('Version'), system?.string('CSName')], [version, 'HVHOST'])
  }

  /** Ends all; the host has to have nothing to complain of. */
  async end(): Promise<void> {
    for (const client of this.#clients) await client.close()
    assert.equal(await this.#host.stop(), 0)
    assert.equal(this.#host.complaints(), '')
  }

  #connect(namespace: string): WsmanClient {
    const client = connect(this.#host, {}, { namespace })
    this.#clients.push(client)
    return client
  }
}
