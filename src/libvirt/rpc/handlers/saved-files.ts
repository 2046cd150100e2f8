import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'

/** What domains were saved to: files of the host that clients name, to which their memory is dumped too, and its own. */
export const savedFileHandlers: Handlers<Client> = {
  DOMAIN_SAVE: ({ dom, to }, { context }) => context.domain(dom).save(to),
  DOMAIN_SAVE_FLAGS: ({ dom, to, dxml, flags }, { context }) =>
    context.domain(dom).saveFlags(to, dxml ?? undefined, flags),
  async DOMAIN_RESTORE({ from }, { context }) {
    await context.connection.restore(from)
  },
  async DOMAIN_RESTORE_FLAGS({ from, dxml, flags }, { context }) {
    await context.connection.restoreFlags(from, dxml ?? undefined, flags)
  },
  DOMAIN_SAVE_IMAGE_GET_XML_DESC: async ({ file, flags }, { context }) => ({
    xml: await context.connection.saveImageGetXMLDesc(file, flags),
  }),
  DOMAIN_SAVE_IMAGE_DEFINE_XML: ({ file, dxml, flags }, { context }) =>
    context.connection.saveImageDefineXML(file, dxml, flags),
  DOMAIN_MANAGED_SAVE_GET_XML_DESC: async ({ dom, flags }, { context }) => ({
    xml: await context.domain(dom).managedSaveGetXMLDesc(flags),
  }),
  DOMAIN_MANAGED_SAVE_DEFINE_XML: ({ dom, dxml, flags }, { context }) =>
    context.domain(dom).managedSaveDefineXML(dxml ?? '', flags),
  DOMAIN_CORE_DUMP: ({ dom, to, flags }, { context }) => context.domain(dom).coreDump(to, flags),
  DOMAIN_CORE_DUMP_WITH_FORMAT: ({ dom, to, dumpformat, flags }, { context }) =>
    context.domain(dom).coreDumpWithFormat(to, dumpformat, flags),
}
