import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { displays } from '../v2/displays.ts'
import { errorTexts } from '../v2/errors.ts'
import { integrationComponents } from '../v2/integration.ts'
import { jobs } from '../v2/jobs.ts'
import { keyboards } from '../v2/keyboard.ts'
import { keyValuePairs } from '../v2/kvp.ts'
import { mice } from '../v2/mouse.ts'
import { memories, processors } from '../v2/processors.ts'
import { storageDeviceClasses } from '../v2/resource-devices.ts'
import { hostedMachines } from '../v2/services.ts'
import { serviceSettings } from '../v2/service-settings.ts'
import { summariesAs } from '../v2/summary.ts'
import { thumbnails } from '../v2/thumbnail.ts'
import { definitions } from './definitions.ts'
import { deviceSettings } from './device-settings.ts'
import { images } from './images.ts'
import { management } from './management.ts'
import { networks } from './networks.ts'
import { resourceMethods } from './resource-methods.ts'
import { resources } from './resources.ts'
import { snapshots } from './snapshots.ts'
import { switches } from './switches.ts'
import { switchMethods } from './switch-methods.ts'
import { systems, systemSettings } from './systems.ts'
import { V1_ENABLED_STATE } from './translate-states.ts'
import { snapshotRow } from './translate-systems.ts'
import { vlanEndpoints } from './vlan-endpoints.ts'

/** What a part of the host shows in root\virtualization. */
type Part = (host: Host, schema: Schema) => Provider | readonly Provider[]

const summaries: Part = (host, schema) => summariesAs(host, schema, { enabledState: V1_ENABLED_STATE, snapshotRow })

/** Its own, and what is the same in both namespaces but for properties that only one has. */
const PARTS: readonly Part[] = [
  systems,
  systemSettings,
  management,
  resources,
  resourceMethods,
  definitions,
  switches,
  switchMethods,
  networks,
  vlanEndpoints,
  images,
  snapshots,
  summaries,
  hostedMachines,
  serviceSettings,
  thumbnails,
  keyValuePairs,
  errorTexts,
  jobs,
  processors,
  memories,
  keyboards,
  mice,
  displays,
  integrationComponents,
  storageDeviceClasses,
  deviceSettings,
]

/** All of what a host shows in root\virtualization. */
export function v1Providers(host: Host, schema: Schema): readonly Provider[] {
  return PARTS.flatMap(part => part(host, schema))
}
