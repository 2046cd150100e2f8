import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { connectionHandlers } from './connection.ts'
import { consoleHandlers } from './consoles.ts'
import { domainDeviceHandlers } from './domain-devices.ts'
import { domainLifeHandlers } from './domain-life.ts'
import { domainResourceHandlers } from './domain-resources.ts'
import { domainStatisticsHandlers } from './domain-statistics.ts'
import { domainHandlers } from './domains.ts'
import { eventHandlers } from './events.ts'
import { graphicsHandlers } from './graphics.ts'
import { guestHandlers } from './guests.ts'
import { loginHandlers } from './login.ts'
import { networkHandlers } from './networks.ts'
import { poolHandlers } from './pools.ts'
import { savedFileHandlers } from './saved-files.ts'
import { screenHandlers } from './screens.ts'
import { snapshotHandlers } from './snapshots.ts'
import { volumeHandlers } from './volumes.ts'
import { nodeHandlers } from './nodes.ts'

/** What the face does for its clients. What is not here is answered as not supported. */
export const handlers: Handlers<Client> = {
  ...connectionHandlers,
  ...loginHandlers,
  ...domainHandlers,
  ...domainLifeHandlers,
  ...domainResourceHandlers,
  ...domainDeviceHandlers,
  ...domainStatisticsHandlers,
  ...eventHandlers,
  ...graphicsHandlers,
  ...networkHandlers,
  ...poolHandlers,
  ...volumeHandlers,
  ...nodeHandlers,
  ...consoleHandlers,
  ...screenHandlers,
  ...guestHandlers,
  ...snapshotHandlers,
  ...savedFileHandlers,
}
