import { defineClass, defineMethod, instanceOf, wql } from '../../../protocols/wsman/index.ts'
import type { OperationOptions } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { SnapshotBackEnd, SnapshotTree } from '../snapshot-back-end.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { isBusy, madeSnapshot, snapshotIn, snapshotOf, treeAmong } from '../wmi/snapshots.ts'
import { settingsIdOf, systemOf } from './classes.ts'
import { MODIFY_SYSTEM } from './methods.ts'

// Source: Microsoft Learn, "Msvm_VirtualSystemManagementService" (v1), which takes snapshots here.

const SERVICE = 'Msvm_VirtualSystemManagementService'
const job = { Job: 'reference' } as const

const CREATE = defineMethod(SERVICE, 'CreateVirtualSystemSnapshot', {
  input: { SourceSystem: 'reference' },
  output: { SnapshotSettingData: 'reference', ...job },
})
const APPLY = defineMethod(SERVICE, 'ApplyVirtualSystemSnapshotEx', {
  input: { ComputerSystem: 'reference', SnapshotSettingData: 'reference' },
  output: job,
})
const REMOVE = defineMethod(SERVICE, 'RemoveVirtualSystemSnapshot', {
  input: { SnapshotSettingData: 'reference' },
  output: job,
})
const REMOVE_TREE = defineMethod(SERVICE, 'RemoveVirtualSystemSnapshotTree', {
  input: { SnapshotSettingData: 'reference' },
  output: job,
})

const SETTINGS = defineClass('Msvm_VirtualSystemSettingData', {
  InstanceID: 'string',
  ElementName: 'string',
  Notes: 'string',
})

/** SettingType of snapshots, as against 3 of what machines have. Source: its ValueMap. */
const SNAPSHOT = 5
/** Snapshots of machines, which keep memory wherever there is some; whether one does, this namespace does not tell. */
export function snapshotsV1(link: Link): SnapshotBackEnd {
  return {
    tree: guid => tree(link, guid),
    keepMemory: async () => async () => {},
    take: (guid, options) => take(link, guid, options),
    describe: (machine, guid, { name, notes }) => describe(link, machine, guid, name, notes),
    async apply(machine, guid, options) {
      const input = { ComputerSystem: systemOf(machine), SnapshotSettingData: snapshotOf(link, guid) }
      await settle(link, await link.client.call(link.service, APPLY, input), 'go back to the snapshot', options)
    },
    async remove(_machine, guid, children, options) {
      const input = { SnapshotSettingData: snapshotOf(link, guid) }
      const answer = await link.client.call(link.service, children ? REMOVE_TREE : REMOVE, input)
      await settle(link, answer, 'delete the snapshot', options)
    },
    isBusy: guid => isBusy(link, guid),
  }
}

async function tree(link: Link, guid: string): Promise<SnapshotTree> {
  const query = wql`SELECT * FROM Msvm_VirtualSystemSettingData WHERE SystemName = ${guid}`
  return treeAmong(await link.client.query(query), guid, row => {
    if (row.number('SettingType') !== SNAPSHOT) return undefined
    return { ...snapshotIn(row), notes: row.string('Notes') ?? '', hasMemory: undefined }
  })
}

async function take(link: Link, guid: string, options?: OperationOptions): Promise<string | undefined> {
  const answer = await link.client.call(link.service, CREATE, { SourceSystem: systemOf(guid) })
  await settle(link, answer, 'take the snapshot', options)
  const { SnapshotSettingData, Job } = answer.values
  if (SnapshotSettingData !== undefined) {
    return SnapshotSettingData.key('InstanceID')
      ?.replace(/^Microsoft:/i, '')
      .toUpperCase()
  }
  return Job && madeSnapshot(link, Job, row => row.number('SettingType') === SNAPSHOT)
}

async function describe(link: Link, machine: string, guid: string, name: string, notes: string): Promise<void> {
  const SystemSettingData = instanceOf(SETTINGS, { InstanceID: settingsIdOf(guid), ElementName: name, Notes: notes })
  const input = { ComputerSystem: systemOf(machine), SystemSettingData }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_SYSTEM, input))
  await settle(link, answer, 'name the snapshot')
}
