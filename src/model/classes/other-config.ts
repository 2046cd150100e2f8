import { rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/** What clients keep with an object for themselves; every class has it. Source: Xen Management API rev 0.2, §1.6. */
export const otherConfig = rw(t.map(t.string, t.string), 'whatever clients want to keep with the object', {
  extension: true,
})
