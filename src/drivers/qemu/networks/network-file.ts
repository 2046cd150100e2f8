import { readFile } from 'node:fs/promises'
import {
  arrayMember,
  integerMember,
  type JsonObject,
  JsonShapeError,
  stringMember,
  toJsonObject,
} from '../../../protocols/qmp/json.ts'
import { DriverError, type NetworkConfig } from '../../driver.ts'
import { systemCode, writeAtomically } from '../files.ts'

const FORMAT = 1

/**
 * Reads the networks that were written; none where there is no file. Rejects as `refused` where the file cannot be
 * understood: going on without would write over what someone may want to mend.
 */
export async function readNetworks(path: string): Promise<NetworkConfig[]> {
  try {
    const object = toJsonObject(JSON.parse(await readFile(path, 'utf8')), 'the file')
    const format = integerMember(object, 'format')
    if (format !== FORMAT) throw new JsonShapeError(`format is ${format}; known is ${FORMAT}`)
    return arrayMember(object, 'networks').map(network => parse(toJsonObject(network, 'network')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    if (!(error instanceof SyntaxError || error instanceof JsonShapeError)) throw error
    throw new DriverError('refused', `the networks in ${path} cannot be read: ${error.message}`, { cause: error })
  }
}

/** Writes all networks; durable when it resolves. */
export async function writeNetworks(path: string, networks: Iterable<NetworkConfig>): Promise<void> {
  await writeAtomically(path, `${JSON.stringify({ format: FORMAT, networks: [...networks] }, null, 2)}\n`)
}

const parse = (object: JsonObject): NetworkConfig => ({
  id: stringMember(object, 'id'),
  name: stringMember(object, 'name'),
  nic: stringMember(object, 'nic'),
  vlan: object['vlan'] === null ? null : integerMember(object, 'vlan'),
  gateway: stringMember(object, 'gateway'),
  netmask: stringMember(object, 'netmask'),
})
