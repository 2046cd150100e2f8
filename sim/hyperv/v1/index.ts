import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'

/** What a part of the host shows in root\virtualization. */
type Part = (host: Host, schema: Schema) => Provider | readonly Provider[]

const PARTS: readonly Part[] = []

/** All of what a host shows in root\virtualization. */
export function v1Providers(host: Host, schema: Schema): readonly Provider[] {
  return PARTS.flatMap(part => part(host, schema))
}
