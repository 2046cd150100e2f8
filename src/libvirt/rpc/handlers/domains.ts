import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { listDomains } from '../../listed-domains.ts'
import { bit, rpcDomain } from '../wire.ts'

/** Domains: finding and describing them, and making and forgetting their definitions. */
export const domainHandlers: Handlers<Client> = {
  async CONNECT_LIST_ALL_DOMAINS({ need_results, flags }, { context: { host } }) {
    const found = await listDomains(host, flags)
    const domains = need_results === 0 ? [] : found
    return {
      domains: domains.map(({ id: uuid, name }) => ({ name, uuid, id: host.remembered.numberOf(uuid) })),
      ret: found.length,
    }
  },
  CONNECT_NUM_OF_DOMAINS: async (_, { context }) => ({ num: await context.connection.numOfDomains() }),
  CONNECT_LIST_DOMAINS: async ({ maxids }, { context }) => ({ ids: await context.connection.listDomains(maxids) }),
  CONNECT_NUM_OF_DEFINED_DOMAINS: async (_, { context }) => ({ num: await context.connection.numOfDefinedDomains() }),
  CONNECT_LIST_DEFINED_DOMAINS: async ({ maxnames }, { context }) => ({
    names: await context.connection.listDefinedDomains(maxnames),
  }),
  DOMAIN_LOOKUP_BY_ID: async ({ id }, { context }) => ({
    dom: rpcDomain(await context.connection.domainLookupByID(id)),
  }),
  DOMAIN_LOOKUP_BY_NAME: async ({ name }, { context }) => ({
    dom: rpcDomain(await context.connection.domainLookupByName(name)),
  }),
  DOMAIN_LOOKUP_BY_UUID: async ({ uuid }, { context }) => ({
    dom: rpcDomain(await context.connection.domainLookupByUUID(uuid)),
  }),
  DOMAIN_DEFINE_XML: async ({ xml }, { context }) => ({
    dom: rpcDomain(await context.connection.domainDefineXML(xml)),
  }),
  DOMAIN_DEFINE_XML_FLAGS: async ({ xml, flags }, { context }) => ({
    dom: rpcDomain(await context.connection.domainDefineXMLFlags(xml, flags)),
  }),
  DOMAIN_UNDEFINE: ({ dom }, { context }) => context.domain(dom).undefine(),
  DOMAIN_UNDEFINE_FLAGS: ({ dom, flags }, { context }) => context.domain(dom).undefineFlags(flags),
  DOMAIN_GET_XML_DESC: async ({ dom, flags }, { context }) => ({ xml: await context.domain(dom).getXMLDesc(flags) }),
  DOMAIN_GET_OS_TYPE: async ({ dom }, { context }) => ({ type: await context.domain(dom).getOSType() }),
  DOMAIN_IS_ACTIVE: async ({ dom }, { context }) => ({ active: bit(await context.domain(dom).isActive()) }),
  DOMAIN_IS_PERSISTENT: async ({ dom }, { context }) => ({ persistent: bit(await context.domain(dom).isPersistent()) }),
  DOMAIN_IS_UPDATED: async ({ dom }, { context }) => ({ updated: bit(await context.domain(dom).isUpdated()) }),
  DOMAIN_GET_METADATA: async ({ dom, type, uri, flags }, { context }) => ({
    metadata: await context.domain(dom).getMetadata(type, uri, flags),
  }),
  DOMAIN_SET_METADATA: ({ dom, type, metadata, key, uri, flags }, { context }) =>
    context.domain(dom).setMetadata(type, metadata, key, uri, flags),
  async DOMAIN_RENAME({ dom, new_name, flags }, { context }) {
    await context.domain(dom).rename(new_name ?? '', flags)
    return { retcode: 0 }
  },
}
