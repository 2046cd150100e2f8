import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Domain,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY,
  VIR_DOMAIN_SNAPSHOT_CREATE_HALT,
  VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN,
  VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY,
  VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY,
  VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE,
  VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS,
  VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY,
  VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL,
  VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE,
  VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL,
  VIR_DOMAIN_SNAPSHOT_LIST_LEAVES,
  VIR_DOMAIN_SNAPSHOT_LIST_METADATA,
  VIR_DOMAIN_SNAPSHOT_LIST_ROOTS,
  VIR_DOMAIN_SNAPSHOT_REVERT_FORCE,
  VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED,
  VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_INVALID_DOMAIN_SNAPSHOT,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_NO_DOMAIN_SNAPSHOT,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_SNAPSHOT_REVERT_RISKY,
} from '../../src/libvirt/index.ts'
import { defined, namesOf, rejectsWith, snapshotXml, world } from './world.ts'

/** A domain with the snapshots `base` ← `middle` ← `top`, and `side` that also builds on `base`; it was on for `top`. */
async function grown(): Promise<Domain> {
  const domain = await defined((await world()).connection)
  const base = await domain.snapshotCreateXML(snapshotXml('base'))
  await domain.snapshotCreateXML(snapshotXml('middle'))
  await domain.create()
  await domain.snapshotCreateXML(snapshotXml('top'))
  await domain.revertToSnapshot(base)
  await domain.snapshotCreateXML(snapshotXml('side'))
  return domain
}

// Proves: virDomainSnapshotCreateXML, virDomainSnapshotLookupByName, virDomainSnapshotGetXMLDesc, virDomainSnapshotGetName
test('a snapshot is made, found by its name, and described', async () => {
  const domain = await defined((await world()).connection)
  await domain.create()
  const xml = `<domainsnapshot><name>before</name><description>the upgrade</description></domainsnapshot>`

  const made = await domain.snapshotCreateXML(xml)
  const nameless = await domain.snapshotCreateXML('<domainsnapshot/>', VIR_DOMAIN_SNAPSHOT_CREATE_HALT)
  const found = await domain.snapshotLookupByName('before')

  assert.deepEqual([made.getName(), found.getName()], ['before', 'before'])
  assert.match(nameless.getName(), /^\d{10}$/)
  assert.equal((await domain.getState()).state, VIR_DOMAIN_SHUTOFF)
  assert.match(await found.getXMLDesc(), /<description>the upgrade<\/description>\s*<state>running<\/state>/)
  assert.match(await nameless.getXMLDesc(), /<parent>\s*<name>before<\/name>/)
  await rejectsWith(
    VIR_ERR_NO_DOMAIN_SNAPSHOT,
    domain.snapshotLookupByName('after'),
    /no domain snapshot with matching name 'after'/,
  )
})

test('a name that is taken, and what no host does, make no snapshot', async () => {
  const domain = await defined((await world()).connection)
  await domain.snapshotCreateXML(snapshotXml('one'))

  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.snapshotCreateXML(snapshotXml('one')), /already exists/)
  const diskOnly = domain.snapshotCreateXML(snapshotXml('two'), VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, diskOnly, /DISK_ONLY/)
  const withMemory = `<domainsnapshot><name>two</name><memory snapshot='internal'/></domainsnapshot>`
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.snapshotCreateXML(withMemory), /memory/)

  assert.deepEqual(await domain.snapshotListNames(), ['one'])
})

// Proves: virDomainListAllSnapshots, virDomainSnapshotNum, virDomainSnapshotListNames
test('flags choose among snapshots', async () => {
  const domain = await grown()
  const listed = async (flags: number) => namesOf(await domain.listAllSnapshots(flags))

  assert.deepEqual(await listed(0), ['base', 'middle', 'side', 'top'])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_ROOTS), ['base'])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_LEAVES), ['side', 'top'])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE), ['top'])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_LEAVES | VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE), ['side'])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_METADATA), await listed(0))
  assert.equal(await domain.snapshotNum(VIR_DOMAIN_SNAPSHOT_LIST_LEAVES), 2)
  assert.deepEqual(await domain.snapshotListNames(VIR_DOMAIN_SNAPSHOT_LIST_ROOTS, 5), ['base'])
  assert.equal((await domain.snapshotListNames(0, 3)).length, 3)
  assert.equal(await domain.snapshotNum(VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL), 4)
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL), [])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY), [])
  assert.deepEqual(await listed(VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE), ['top'])
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    domain.snapshotNum(2_048),
    /unsupported flags \(0x800\) in function virDomainSnapshotNum/,
  )
})

// Proves: virDomainSnapshotListAllChildren, virDomainSnapshotListChildrenNames, virDomainSnapshotNumChildren, virDomainSnapshotGetParent, virDomainSnapshotHasMetadata
test('a snapshot knows what it builds on and what builds on it', async () => {
  const domain = await grown()
  const base = await domain.snapshotLookupByName('base')
  const top = await domain.snapshotLookupByName('top')

  assert.deepEqual(namesOf(await base.listAllChildren()), ['middle', 'side'])
  assert.deepEqual(namesOf(await base.listAllChildren(VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS)), ['middle', 'side', 'top'])
  assert.deepEqual(await base.listChildrenNames(VIR_DOMAIN_SNAPSHOT_LIST_LEAVES), ['side'])
  assert.equal((await base.listChildrenNames(0, 1)).length, 1)
  assert.equal(await top.numChildren(), 0)
  assert.equal((await top.getParent()).getName(), 'middle')
  await rejectsWith(VIR_ERR_NO_DOMAIN_SNAPSHOT, base.getParent(), /does not have a parent/)
  assert.equal(await base.hasMetadata(), true)
})

// Proves: virDomainHasCurrentSnapshot, virDomainSnapshotCurrent, virDomainSnapshotIsCurrent
test('a domain knows which snapshot it builds on', async () => {
  const { connection } = await world()
  const bare = await defined(connection)
  const domain = await grown()

  assert.deepEqual([await bare.hasCurrentSnapshot(), await domain.hasCurrentSnapshot()], [false, true])
  await rejectsWith(VIR_ERR_NO_DOMAIN_SNAPSHOT, bare.snapshotCurrent(), /does not have a current snapshot/)
  const current = await domain.snapshotCurrent()
  assert.equal(current.getName(), 'side')
  assert.equal(await current.isCurrent(), true)
  assert.equal(await (await domain.snapshotLookupByName('top')).isCurrent(), false)
})

// Proves: virDomainRevertToSnapshot
test('a domain goes back: on where it had memory, off where it had none, and as flags say', async () => {
  const domain = await grown()
  const [base, top] = [await domain.snapshotLookupByName('base'), await domain.snapshotLookupByName('top')]
  const after = async (flags: number, snapshot = top) => {
    await domain.revertToSnapshot(snapshot, flags)
    return (await domain.getState()).state
  }

  assert.equal(await after(0), VIR_DOMAIN_RUNNING)
  assert.equal(await after(VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED), VIR_DOMAIN_PAUSED)
  assert.equal(await after(0, base), VIR_DOMAIN_SHUTOFF)
  assert.equal(await after(VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING, base), VIR_DOMAIN_RUNNING)
  const again = domain.revertToSnapshot(base, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)
  await rejectsWith(
    VIR_ERR_SNAPSHOT_REVERT_RISKY,
    again,
    /^revert requires force: must respawn guest to start inactive/,
  )
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
  assert.equal(
    await after(VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED | VIR_DOMAIN_SNAPSHOT_REVERT_FORCE, base),
    VIR_DOMAIN_PAUSED,
  )
  await domain.managedSave()
  await rejectsWith(VIR_ERR_SNAPSHOT_REVERT_RISKY, domain.revertToSnapshot(base), /existing managed saved state/)
  assert.equal(await after(VIR_DOMAIN_SNAPSHOT_REVERT_FORCE, base), VIR_DOMAIN_SHUTOFF)
  const both = VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.revertToSnapshot(base, both), /mutually exclusive/)
  const other = await grown()
  await rejectsWith(VIR_ERR_INVALID_DOMAIN_SNAPSHOT, other.revertToSnapshot(base), /of another domain/)
})

test('a snapshot of a domain that was paused says so, and leads back to one that is paused unless it is to run', async () => {
  const domain = await defined((await world()).connection)
  await domain.createWithFlags(VIR_DOMAIN_START_PAUSED)
  const snapshot = await domain.snapshotCreateXML(snapshotXml('still'))
  assert.match(await snapshot.getXMLDesc(), /<state>paused<\/state>/)
  const after = async (flags: number) => {
    await domain.revertToSnapshot(snapshot, flags)
    return (await domain.getState()).state
  }

  await domain.destroy()
  assert.equal(await after(0), VIR_DOMAIN_PAUSED)
  assert.equal(await after(VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING), VIR_DOMAIN_RUNNING)
  assert.equal(await after(0), VIR_DOMAIN_PAUSED)
})

// Proves: virDomainSnapshotDelete
test('a snapshot is deleted alone, with what builds on it, or without itself', async () => {
  const domain = await grown()
  const names = async () => namesOf(await domain.listAllSnapshots())
  const [base, middle] = [await domain.snapshotLookupByName('base'), await domain.snapshotLookupByName('middle')]

  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, middle.delete(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY))
  await middle.delete()
  assert.deepEqual(await names(), ['base', 'side', 'top'])
  assert.equal(await (await (await domain.snapshotLookupByName('top')).getParent()).numChildren(), 2)
  await rejectsWith(VIR_ERR_NO_DOMAIN_SNAPSHOT, middle.getXMLDesc())
  await base.delete(VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)
  assert.deepEqual(await names(), ['base'])
  await domain.snapshotCreateXML(snapshotXml('next'))
  await base.delete(VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN)

  assert.deepEqual(await names(), [])
})

test('snapshots that others gave one name are told apart by what the host calls them', async () => {
  const { connection, driver } = await world()
  const domain = await defined(connection)
  for (const _ of [1, 2]) await driver.snapshots?.create(domain.getUUIDString(), { name: 'twin', description: '' })

  assert.deepEqual(await domain.snapshotListNames(), ['twin 1', 'twin 2'])
  await (await domain.snapshotLookupByName('twin 1')).delete()
  assert.deepEqual(await domain.snapshotListNames(), ['twin'])
})

// Proves: virDomainUndefine, virDomainUndefineFlags
test('a domain with snapshots that its host knows nothing of is forgotten only where they may be', async () => {
  const domain = await grown()

  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.undefine(), /cannot delete inactive domain with 4 snapshots$/)
  assert.equal(await domain.snapshotNum(), 4)
  await domain.undefineFlags(VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)

  await rejectsWith(VIR_ERR_NO_DOMAIN, domain.getState())
})
