import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { rpcDomain } from '../wire.ts'

/** Domains: finding them, describing them, their life. */
export const domainHandlers: Handlers<Client> = {
  async CONNECT_LIST_ALL_DOMAINS({ need_results, flags }, { context }) {
    const domains = await context.connection.listAllDomains(flags)
    return { domains: need_results === 0 ? [] : domains.map(rpcDomain), ret: domains.length }
  },
  DOMAIN_LOOKUP_BY_NAME: async ({ name }, { context }) => ({
    dom: rpcDomain(await context.connection.domainLookupByName(name)),
  }),
  DOMAIN_LOOKUP_BY_UUID: async ({ uuid }, { context }) => ({
    dom: rpcDomain(await context.connection.domainLookupByUUID(uuid)),
  }),
  DOMAIN_GET_STATE: async ({ dom, flags }, { context }) => context.domain(dom).getState(flags),
  DOMAIN_GET_XML_DESC: async ({ dom, flags }, { context }) => ({ xml: await context.domain(dom).getXMLDesc(flags) }),
  DOMAIN_CREATE: ({ dom }, { context }) => context.domain(dom).create(),
  DOMAIN_DESTROY: ({ dom }, { context }) => context.domain(dom).destroy(),
}
