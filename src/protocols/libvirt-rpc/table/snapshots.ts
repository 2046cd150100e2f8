import { array, int, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { domain, domainSnapshot, text } from '../types.ts'

/** Snapshots of domains. Source: libvirt, src/remote/remote_protocol.x. */
export const snapshots = {
  DOMAIN_SNAPSHOT_CREATE_XML: procedure(185, 'virDomainSnapshotCreateXML', {
    args: { dom: domain, xml_desc: text, flags: uint },
    result: { snap: domainSnapshot },
    writes: true,
  }),
  DOMAIN_SNAPSHOT_GET_XML_DESC: procedure(186, 'virDomainSnapshotGetXMLDesc', {
    args: { snap: domainSnapshot, flags: uint },
    result: { xml: text },
    priority: 'high',
    writesWhere: { flags: 1 },
  }),
  DOMAIN_SNAPSHOT_NUM: procedure(187, 'virDomainSnapshotNum', {
    args: { dom: domain, flags: uint },
    result: { num: int },
    priority: 'high',
  }),
  DOMAIN_SNAPSHOT_LIST_NAMES: procedure(188, 'virDomainSnapshotListNames', {
    args: { dom: domain, maxnames: int, flags: uint },
    result: { names: array(text, MAXIMA.DOMAIN_SNAPSHOT_LIST_MAX) },
    priority: 'high',
  }),
  DOMAIN_SNAPSHOT_LOOKUP_BY_NAME: procedure(189, 'virDomainSnapshotLookupByName', {
    args: { dom: domain, name: text, flags: uint },
    result: { snap: domainSnapshot },
    priority: 'high',
  }),
  DOMAIN_HAS_CURRENT_SNAPSHOT: procedure(190, 'virDomainHasCurrentSnapshot', {
    args: { dom: domain, flags: uint },
    result: { result: int },
  }),
  DOMAIN_SNAPSHOT_CURRENT: procedure(191, 'virDomainSnapshotCurrent', {
    args: { dom: domain, flags: uint },
    result: { snap: domainSnapshot },
  }),
  DOMAIN_REVERT_TO_SNAPSHOT: procedure(192, 'virDomainRevertToSnapshot', {
    args: { snap: domainSnapshot, flags: uint },
    writes: true,
  }),
  DOMAIN_SNAPSHOT_DELETE: procedure(193, 'virDomainSnapshotDelete', {
    args: { snap: domainSnapshot, flags: uint },
    writes: true,
  }),
  DOMAIN_SNAPSHOT_GET_PARENT: procedure(244, 'virDomainSnapshotGetParent', {
    args: { snap: domainSnapshot, flags: uint },
    result: { snap: domainSnapshot },
    priority: 'high',
  }),
  DOMAIN_SNAPSHOT_NUM_CHILDREN: procedure(246, 'virDomainSnapshotNumChildren', {
    args: { snap: domainSnapshot, flags: uint },
    result: { num: int },
    priority: 'high',
  }),
  DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES: procedure(247, 'virDomainSnapshotListChildrenNames', {
    args: { snap: domainSnapshot, maxnames: int, flags: uint },
    result: { names: array(text, MAXIMA.DOMAIN_SNAPSHOT_LIST_MAX) },
    priority: 'high',
  }),
  DOMAIN_SNAPSHOT_IS_CURRENT: procedure(271, 'virDomainSnapshotIsCurrent', {
    args: { snap: domainSnapshot, flags: uint },
    result: { current: int },
  }),
  DOMAIN_SNAPSHOT_HAS_METADATA: procedure(272, 'virDomainSnapshotHasMetadata', {
    args: { snap: domainSnapshot, flags: uint },
    result: { metadata: int },
  }),
  DOMAIN_LIST_ALL_SNAPSHOTS: procedure(274, 'virDomainListAllSnapshots', {
    args: { dom: domain, need_results: int, flags: uint },
    result: { snapshots: array(domainSnapshot, MAXIMA.DOMAIN_SNAPSHOT_LIST_MAX), ret: int },
    priority: 'high',
  }),
  DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN: procedure(275, 'virDomainSnapshotListAllChildren', {
    args: { snapshot: domainSnapshot, need_results: int, flags: uint },
    result: { snapshots: array(domainSnapshot, MAXIMA.DOMAIN_SNAPSHOT_LIST_MAX), ret: int },
    priority: 'high',
  }),
}
