import { DriverError } from '../../driver.ts'
import type { SchedulingBackEnd } from '../scheduling-back-end.ts'
import type { Link } from '../wmi/link.ts'
import { sharesOf } from '../wmi/shares.ts'

/** What machines get of processors; hosts with this namespace change it of machines that are off, at their definition. */
export function schedulingV1(link: Link): SchedulingBackEnd {
  return {
    isOnline: false,
    shares: guid => sharesOf(link, guid),
    async setShares() {
      throw new DriverError('refused', 'hosts with root\\virtualization change the shares of no machine that is on')
    },
  }
}
