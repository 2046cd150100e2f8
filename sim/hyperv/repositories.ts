import { Repository } from './cim/repository.ts'
import { loadSchema, type Namespace } from './cim/schema.ts'
import { cimv2Providers } from './cimv2/index.ts'
import type { Host } from './host/host.ts'
import { v1Providers } from './v1/index.ts'
import { v2Providers } from './v2/index.ts'

/** What a host shows in each of its namespaces. */
const FACES = {
  'root\\cimv2': cimv2Providers,
  'root\\virtualization': v1Providers,
  'root\\virtualization\\v2': v2Providers,
} as const

/** The namespaces of a host, as its build has them, less those of Hyper-V that are not wanted. */
export function repositoriesOf(host: Host, wanted: readonly ('v1' | 'v2')[]): ReadonlyMap<string, Repository> {
  const namespaces: Namespace[] = ['root\\cimv2']
  if (wanted.includes('v1')) namespaces.push('root\\virtualization')
  if (wanted.includes('v2')) namespaces.push('root\\virtualization\\v2')
  return new Map(
    namespaces.map(namespace => {
      const schema = loadSchema(namespace, host.state.build)
      return [namespace, new Repository(schema, FACES[namespace](host, schema), host.state.name)]
    }),
  )
}
