import { implement } from '../engine/context.ts'
import { host_cpu } from '../model/index.ts'
import { hostHandlers } from './host.ts'
import { networkHandlers } from './network.ts'
import { sessionHandlers } from './session.ts'
import { srHandlers } from './sr.ts'
import { taskHandlers } from './task.ts'
import { userHandlers } from './user.ts'
import { vbdHandlers } from './vbd.ts'
import { vdiHandlers } from './vdi.ts'
import { vifHandlers } from './vif.ts'
import { vmHandlers } from './vm.ts'

/** What every class of the API does. */
export const implementations = [
  sessionHandlers,
  taskHandlers,
  vmHandlers,
  hostHandlers,
  implement(host_cpu, {}),
  networkHandlers,
  vifHandlers,
  srHandlers,
  vdiHandlers,
  vbdHandlers,
  userHandlers,
] as const
