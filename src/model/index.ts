import { credential } from './classes/credential.ts'
import { host_ } from './classes/host.ts'
import { host_cpu } from './classes/host-cpu.ts'
import { intent } from './classes/intent.ts'
import { network } from './classes/network.ts'
import { session } from './classes/session.ts'
import { SR } from './classes/sr.ts'
import { task } from './classes/task.ts'
import { user } from './classes/user.ts'
import { VBD } from './classes/vbd.ts'
import { VDI } from './classes/vdi.ts'
import { VIF } from './classes/vif.ts'
import { VM } from './classes/vm.ts'
import type { Class } from './kernel/define.ts'

/** The classes of the API, in the draft's order. Source: Xen Management API rev 0.2, §2.1. */
export const classes = { session, task, VM, host: host_, host_cpu, network, VIF, SR, VDI, VBD, user } as const

/** The name of a class of the API. */
export type ClassName = keyof typeof classes

/** Every class that is stored: those of the API and those that no client sees. */
export const storedClasses: readonly Class[] = [...Object.values(classes), credential, intent]

export { credential, host_, host_cpu, intent, network, SR, session, task, user, VBD, VDI, VIF, VM }
