import type { Handlers, RpcDomainSnapshot } from '../../../protocols/libvirt-rpc/index.ts'
import type { Domain } from '../../domain.ts'
import { DomainSnapshot } from '../../snapshot.ts'
import type { Client } from '../client.ts'
import { bit, rpcDomain } from '../wire.ts'

/** Snapshots of domains. The wire names them by their names, which no other of their domain has. */
export const snapshotHandlers: Handlers<Client> = {
  async DOMAIN_SNAPSHOT_CREATE_XML({ dom, xml_desc, flags }, { context }) {
    const domain = context.domain(dom)
    return { snap: rpcSnapshot(domain, await domain.snapshotCreateXML(xml_desc, flags)) }
  },
  DOMAIN_SNAPSHOT_GET_XML_DESC: async ({ snap, flags }, { context }) => ({
    xml: await named(context, snap).getXMLDesc(flags),
  }),
  DOMAIN_SNAPSHOT_NUM: async ({ dom, flags }, { context }) => ({ num: await context.domain(dom).snapshotNum(flags) }),
  DOMAIN_SNAPSHOT_LIST_NAMES: async ({ dom, maxnames, flags }, { context }) => ({
    names: await context.domain(dom).snapshotListNames(flags, maxnames),
  }),
  async DOMAIN_SNAPSHOT_LOOKUP_BY_NAME({ dom, name, flags }, { context }) {
    const domain = context.domain(dom)
    return { snap: rpcSnapshot(domain, await domain.snapshotLookupByName(name, flags)) }
  },
  DOMAIN_HAS_CURRENT_SNAPSHOT: async ({ dom, flags }, { context }) => ({
    result: bit(await context.domain(dom).hasCurrentSnapshot(flags)),
  }),
  async DOMAIN_SNAPSHOT_CURRENT({ dom, flags }, { context }) {
    const domain = context.domain(dom)
    return { snap: rpcSnapshot(domain, await domain.snapshotCurrent(flags)) }
  },
  DOMAIN_REVERT_TO_SNAPSHOT: ({ snap, flags }, { context }) =>
    context.domain(snap.dom).revertToSnapshot(named(context, snap), flags),
  DOMAIN_SNAPSHOT_DELETE: ({ snap, flags }, { context }) => named(context, snap).delete(flags),
  DOMAIN_SNAPSHOT_GET_PARENT: async ({ snap, flags }, { context }) => ({
    snap: rpcSnapshot(context.domain(snap.dom), await named(context, snap).getParent(flags)),
  }),
  DOMAIN_SNAPSHOT_NUM_CHILDREN: async ({ snap, flags }, { context }) => ({
    num: await named(context, snap).numChildren(flags),
  }),
  DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES: async ({ snap, maxnames, flags }, { context }) => ({
    names: await named(context, snap).listChildrenNames(flags, maxnames),
  }),
  DOMAIN_SNAPSHOT_IS_CURRENT: async ({ snap, flags }, { context }) => ({
    current: bit(await named(context, snap).isCurrent(flags)),
  }),
  DOMAIN_SNAPSHOT_HAS_METADATA: async ({ snap, flags }, { context }) => ({
    metadata: bit(await named(context, snap).hasMetadata(flags)),
  }),
  async DOMAIN_LIST_ALL_SNAPSHOTS({ dom, need_results, flags }, { context }) {
    const domain = context.domain(dom)
    return listed(domain, await domain.listAllSnapshots(flags), need_results)
  },
  async DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN({ snapshot, need_results, flags }, { context }) {
    const children = await named(context, snapshot).listAllChildren(flags)
    return listed(context.domain(snapshot.dom), children, need_results)
  },
}

const named = (client: Client, { name, dom }: RpcDomainSnapshot): DomainSnapshot =>
  new DomainSnapshot(client.host, dom.uuid, { name })

const rpcSnapshot = (domain: Domain, snapshot: DomainSnapshot): RpcDomainSnapshot => ({
  name: snapshot.getName(),
  dom: rpcDomain(domain),
})

const listed = (domain: Domain, snapshots: readonly DomainSnapshot[], needResults: number) => ({
  snapshots: needResults === 0 ? [] : snapshots.map(each => rpcSnapshot(domain, each)),
  ret: snapshots.length,
})
