import type { MethodCall, MethodResult } from '../cim/provider.ts'
import { answer, type Output } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { JobRun } from '../host/jobs.ts'
import { nameOfService } from '../host/names.ts'
import { V2 } from './rows.ts'
import type { Service } from './services.ts'

/** The service that defines and changes virtual switches. Source: the Name is as hosts print it. */
export const SWITCH_SERVICE: Service = {
  className: 'Msvm_VirtualEthernetSwitchManagementService',
  name: 'nvspwmi',
  title: 'Virtual Ethernet Switch Management Service',
  description: 'Service for creating, manipulating, and managing virtual Ethernet switches',
}

/** JobType of what is done with switches. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
export const SwitchJob = { define: 130, modify: 131, destroy: 132, add: 133, modifyPorts: 134, remove: 135 } as const

const DURATION_MS = 500

/** A change that the service for switches makes. */
export interface SwitchChange {
  readonly call: MethodCall
  readonly type: number
  readonly target: string
  /** Source: making and removing a switch were seen to take a job. */
  readonly usually: 'now' | 'job'
  readonly work: (run: JobRun) => Output | void
}

/** Makes a change, and answers as hosts do. */
export function changeSwitch(host: Host, { call, type, target, usually, work }: SwitchChange): Promise<MethodResult> {
  return answer(host, {
    namespace: V2,
    usually,
    job: {
      type,
      target,
      owner: call.caller.user,
      durationMs: DURATION_MS,
      service: nameOfService(host, SWITCH_SERVICE.className, SWITCH_SERVICE.name),
    },
    work,
  })
}
