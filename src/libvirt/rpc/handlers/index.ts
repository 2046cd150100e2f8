import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { connectionHandlers } from './connection.ts'
import { domainHandlers } from './domains.ts'

/** What the face does for its clients. What is not here is answered as not supported. */
export const handlers: Handlers<Client> = { ...connectionHandlers, ...domainHandlers }
