import { defineClass, defineMethod, instanceOf, reference, wql } from '../../../protocols/wsman/index.ts'
import type { OperationOptions } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { SnapshotBackEnd, SnapshotTree } from '../snapshot-back-end.ts'
import type { Undo } from '../undo.ts'
import { settle } from '../wmi/jobs.ts'
import { type Link, settingsIdOf, settingsOf, systemOf } from '../wmi/link.ts'
import { isBusy, madeSnapshot, snapshotIn, snapshotOf, treeAmong } from '../wmi/snapshots.ts'
import { V2 } from './names.ts'

// Source: Microsoft Learn, "Msvm_VirtualSystemSnapshotService (V2)"; parameters as the MOF of real hosts has them.

const SERVICE = 'Msvm_VirtualSystemSnapshotService'
const job = { Job: 'reference' } as const

const CREATE = defineMethod(SERVICE, 'CreateSnapshot', {
  input: { AffectedSystem: 'reference', SnapshotSettings: 'string', SnapshotType: 'uint16' },
  output: { ResultingSnapshot: 'reference', ...job },
})
const APPLY = defineMethod(SERVICE, 'ApplySnapshot', { input: { Snapshot: 'reference' }, output: job })
const DESTROY = defineMethod(SERVICE, 'DestroySnapshot', { input: { AffectedSnapshot: 'reference' }, output: job })
const DESTROY_TREE = defineMethod(SERVICE, 'DestroySnapshotTree', {
  input: { SnapshotSettingData: 'reference' },
  output: job,
})
const MODIFY = defineMethod('Msvm_VirtualSystemManagementService', 'ModifySystemSettings', {
  input: { SystemSettings: 'instance' },
  output: job,
})

const SETTINGS = defineClass('Msvm_VirtualSystemSettingData', {
  InstanceID: 'string',
  ElementName: 'string',
  Notes: 'string[]',
  UserSnapshotType: 'uint16',
})

/** SnapshotType: of all that a machine is. */
const FULL = 2
/** VirtualSystemType of snapshots, as against what machines have. Source: as real hosts have it. */
const SNAPSHOT = /^Microsoft:Hyper-V:Snapshot:/i
/** UserSnapshotType: with memory. From this build on, others are without where the guest takes part. Source: the MOF. */
const STANDARD = 5
const PRODUCTION: ReadonlySet<number | undefined> = new Set([3, 4])
const PRODUCTION_FROM_BUILD = 10_240
/** Snapshots of machines, which have a service of their own. */
export function snapshotsV2(link: Link): SnapshotBackEnd {
  return {
    tree: guid => tree(link, guid),
    keepMemory: guid => keepMemory(link, guid),
    take: (guid, options) => take(link, guid, options),
    describe: (_machine, guid, { name, notes }) =>
      modify(link, { InstanceID: settingsIdOf(guid), ElementName: name, Notes: [notes] }),
    async apply(_machine, guid, options) {
      const input = { Snapshot: snapshotOf(link, guid) }
      await settle(link, await link.client.call(service, APPLY, input), 'go back to the snapshot', options)
    },
    remove: (_machine, guid, children, options) => remove(link, guid, children, options),
    isBusy: guid => isBusy(link, guid),
  }
}

/** Its class alone names it. Source: so the C driver of libvirt names services. */
const service = reference(V2, SERVICE, { CreationClassName: SERVICE })

async function tree(link: Link, guid: string): Promise<SnapshotTree> {
  const query = wql`SELECT * FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemIdentifier = ${guid}`
  return treeAmong(await link.client.query(query), guid, row => {
    if (!SNAPSHOT.test(row.string('VirtualSystemType') ?? '')) return undefined
    return { ...snapshotIn(row), notes: row.strings('Notes')[0] ?? '', hasMemory: row.boolean('IsSaved') === true }
  })
}

/** A machine whose snapshots are disabled is left so, and the host refuses them. */
async function keepMemory(link: Link, guid: string): Promise<Undo> {
  if (link.build < PRODUCTION_FROM_BUILD) return async () => {}
  const kind = (await link.client.get(settingsOf(link, guid))).number('UserSnapshotType')
  if (!PRODUCTION.has(kind)) return async () => {}
  const InstanceID = settingsIdOf(guid)
  await modify(link, { InstanceID, UserSnapshotType: STANDARD })
  return () => modify(link, { InstanceID, UserSnapshotType: kind })
}

async function take(link: Link, guid: string, options?: OperationOptions): Promise<string | undefined> {
  const input = { AffectedSystem: systemOf(link, guid), SnapshotSettings: '', SnapshotType: FULL }
  const answer = await link.client.call(service, CREATE, input)
  await settle(link, answer, 'take the snapshot', options)
  const { ResultingSnapshot, Job } = answer.values
  if (ResultingSnapshot !== undefined)
    return ResultingSnapshot.key('InstanceID')
      ?.replace(/^Microsoft:/i, '')
      .toUpperCase()
  return Job && madeSnapshot(link, Job, row => SNAPSHOT.test(row.string('VirtualSystemType') ?? ''))
}

async function remove(link: Link, guid: string, children: boolean, options?: OperationOptions): Promise<void> {
  const snapshot = snapshotOf(link, guid)
  const answer = children
    ? await link.client.call(service, DESTROY_TREE, { SnapshotSettingData: snapshot })
    : await link.client.call(service, DESTROY, { AffectedSnapshot: snapshot })
  await settle(link, answer, 'delete the snapshot', options)
}

async function modify(link: Link, values: Parameters<typeof instanceOf<(typeof SETTINGS)['properties']>>[1]) {
  const SystemSettings = instanceOf(SETTINGS, values)
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY, { SystemSettings }))
  await settle(link, answer, 'change the settings of the machine or its snapshot')
}
