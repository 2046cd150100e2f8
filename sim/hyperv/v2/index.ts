import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { computerSystems } from './computer-system.ts'
import { displays } from './displays.ts'
import { errorTexts } from './errors.ts'
import { integrationComponents } from './integration.ts'
import { jobs } from './jobs.ts'
import { keyboards } from './keyboard.ts'
import { keyValuePairs } from './kvp.ts'
import { management } from './management.ts'
import { mice } from './mouse.ts'
import { memories, processors } from './processors.ts'
import { security } from './security.ts'
import { hostedMachines } from './services.ts'
import { serviceSettings } from './service-settings.ts'
import { summaries } from './summary.ts'
import { systemSettings } from './system-settings.ts'
import { thumbnails } from './thumbnail.ts'

/** What a part of the host shows in root\virtualization\v2. */
type Part = (host: Host, schema: Schema) => Provider | readonly Provider[]

const PARTS: readonly Part[] = [
  computerSystems,
  systemSettings,
  hostedMachines,
  management,
  serviceSettings,
  security,
  summaries,
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
]

/** All of what a host shows in root\virtualization\v2. */
export function v2Providers(host: Host, schema: Schema): readonly Provider[] {
  return PARTS.flatMap(part => part(host, schema))
}
