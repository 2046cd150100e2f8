import type { Harmless, HarmlessList } from './harmless.ts'

/*
 * What libvirt and its clients write into descriptions of networks, pools, volumes and snapshots that has no meaning for a
 * host here. As in accepted.ts, each with its reason; whatever is not as it stands here is refused by name.
 */

const ANY = /^[^]*$/

/** What a network may have besides. */
export const OF_NETWORK: HarmlessList = {
  mac: { why: 'the address of a bridge that libvirt made', attributes: { address: /^[\da-fA-F:]{11,17}$/ } },
}

const PERMISSIONS: Harmless = {
  why: 'libvirt writes who may enter; hosts here give images to who runs machines',
  children: {
    mode: { why: 'what is told of a file or folder that there is', text: /^0?[0-7]{3,4}$/ },
    owner: { why: 'what libvirt writes', text: /^(-1|\d{1,10})$/ },
    group: { why: 'what libvirt writes', text: /^(-1|\d{1,10})$/ },
    label: { why: 'what libvirt writes', text: ANY },
  },
}
const MEASURED: Harmless = {
  why: 'libvirt tells it, and does not read it',
  attributes: { unit: ANY },
  text: /^\d{1,20}$/,
}

/** What a pool may have besides. */
export const OF_POOL: HarmlessList = {
  capacity: MEASURED,
  allocation: MEASURED,
  available: MEASURED,
  source: { why: 'a folder comes from nowhere else' },
}

/** What the target of a pool may have besides. */
export const OF_TARGET: HarmlessList = { permissions: PERMISSIONS }

/** What a volume may have besides. */
export const OF_VOLUME: HarmlessList = {
  key: { why: 'libvirt tells it, and does not read it', text: ANY },
  physical: MEASURED,
  source: { why: 'libvirt writes it empty' },
  backingStore: { why: 'empty: it builds on nothing' },
}

const MOMENT: Harmless = { why: 'libvirt tells it, and does not read it', text: /^[\d.]{1,32}$/ }

/** What the target of a volume may have besides. */
export const OF_VOLUME_TARGET: HarmlessList = {
  path: { why: 'libvirt tells it, and does not read it: a volume is called by its name', text: ANY },
  permissions: PERMISSIONS,
  timestamps: {
    why: 'libvirt tells it, and does not read it',
    children: { atime: MOMENT, mtime: MOMENT, ctime: MOMENT, btime: MOMENT },
  },
  compat: { why: 'the version of QCOW2 that is made', text: /^1\.1$/ },
  clusterSize: { why: 'the size that is made', attributes: { unit: ['B', 'b', 'bytes'] }, text: /^65536$/ },
  features: {
    why: 'how the counters of an image are kept does not change what is in it',
    children: { lazy_refcounts: { why: 'see features' } },
  },
}

/** What the description of a snapshot may have besides: what libvirt tells of those there are, and does not read. */
export const OF_SNAPSHOT: HarmlessList = {
  state: { why: 'what the domain is, the host knows', text: /^[\w-]{1,32}$/ },
  creationTime: { why: 'when it is made, the host knows', text: /^\d{1,20}$/ },
  active: { why: 'of old versions', text: /^[01]$/ },
  parent: {
    why: 'what it builds on, the host knows',
    children: { name: { why: 'see parent', text: ANY } },
  },
  disks: {
    why: 'disks are kept by themselves, all of them; elsewhere, or some, is refused',
    children: { disk: { why: 'see disks', attributes: { name: ANY, snapshot: ['internal'] } } },
  },
}
