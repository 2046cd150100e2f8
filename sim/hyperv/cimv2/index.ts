import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { dataFiles } from './data-file.ts'
import { deviceCounters } from './device-counters.ts'
import { hardware } from './hardware.ts'
import { machine } from './machine.ts'
import { operatingSystem } from './operating-system.ts'
import { performance } from './performance.ts'
import { services } from './services.ts'

const PARTS = [machine, operatingSystem, hardware, services, performance, deviceCounters, dataFiles]

/** All of what a host shows in root\cimv2. */
export function cimv2Providers(host: Host, schema: Schema): readonly Provider[] {
  return PARTS.map(part => part(host, schema))
}
