import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { computerSystems } from './computer-system.ts'
import { displays } from './displays.ts'
import { errorTexts } from './errors.ts'
import { idleServices } from './idle-services.ts'
import { integrationComponents } from './integration.ts'
import { jobs } from './jobs.ts'
import { keyboards } from './keyboard.ts'
import { keyValuePairs } from './kvp.ts'
import { management } from './management.ts'
import { mice } from './mouse.ts'
import { numaNodes } from './numa.ts'
import { memories, processors } from './processors.ts'
import { security } from './security.ts'
import { hostedMachines } from './services.ts'
import { serviceSettings } from './service-settings.ts'
import { summaries } from './summary.ts'
import { systemSettings } from './system-settings.ts'
import { thumbnails } from './thumbnail.ts'
import { definitions } from './definitions.ts'
import { features } from './features.ts'
import { metrics } from './metrics.ts'
import { guestNetworks } from './network-guest.ts'
import { networkPorts } from './network-ports.ts'
import { imageService } from './image-service.ts'
import { mountedImages } from './image-mounts.ts'
import { snapshots } from './snapshots.ts'
import { pools } from './pools.ts'
import { bootSources } from './resource-boot.ts'
import { storageDevices } from './resource-devices.ts'
import { resourceMethods } from './resource-methods.ts'
import { resources } from './resources.ts'
import { switchService } from './switch-methods.ts'
import { switches } from './switches.ts'

/** What a part of the host shows in root\virtualization\v2. */
type Part = (host: Host, schema: Schema) => Provider | readonly Provider[]

const PARTS: readonly Part[] = [
  computerSystems,
  systemSettings,
  hostedMachines,
  management,
  serviceSettings,
  idleServices,
  security,
  summaries,
  thumbnails,
  keyValuePairs,
  errorTexts,
  jobs,
  processors,
  memories,
  numaNodes,
  keyboards,
  mice,
  displays,
  integrationComponents,
  resources,
  resourceMethods,
  storageDevices,
  bootSources,
  definitions,
  pools,
  features,
  switches,
  switchService,
  networkPorts,
  guestNetworks,
  metrics,
  imageService,
  mountedImages,
  snapshots,
]

/** All of what a host shows in root\virtualization\v2. */
export function v2Providers(host: Host, schema: Schema): readonly Provider[] {
  return PARTS.flatMap(part => part(host, schema))
}
