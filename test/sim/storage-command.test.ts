import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { escapeText } from '../../src/wire/xml/write.ts'
import { atEnd } from '../support/at-end.ts'
import { HYPERV_ADMIN, startSimHyperv } from '../support/sim-hyperv.ts'
import { diskSettings, DISKS } from './images-world.ts'
import { makeRequest, reference, type RequestParts } from './wsman/requests.ts'

// The whole way: HTTP, SOAP, the method, its job, the file.

const POLL_MS = 25
const POLLS_MAX = 200
const DISK = `${DISKS}\\web-1.vhdx`

type Ask = (operation: string, className: string, parts?: RequestParts) => Promise<string>

function asking(url: string): Ask {
  const { name, password } = HYPERV_ADMIN
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
  return async (operation, className, parts) => {
    const response = await fetch(`${url}/wsman`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/soap+xml;charset=UTF-8' },
      body: makeRequest(operation, className, parts),
    })
    return response.text()
  }
}

const valueIn = (text: string, name: string): string => new RegExp(`<p:${name}>([^<]*)<`).exec(text)?.[1] ?? ''

/** Follows the job that an answer names to its end; its last state. */
async function followJob(ask: Ask, answer: string): Promise<string> {
  assert.equal(valueIn(answer, 'ReturnValue'), '4096', answer)
  const [, className = ''] = /<w:ResourceURI>[^<]*\/(Msvm_\w+Job)<\/w:ResourceURI>/.exec(answer) ?? []
  const [, InstanceID = ''] = /<w:Selector Name="InstanceID">([^<]*)</.exec(answer) ?? []
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    const job = await ask('Get', className, { selectors: { InstanceID } })
    const state = valueIn(job, 'JobState')
    if (Number(state) >= 7) return `${className} ${state}`
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
  return 'without end'
}

test('a disk and a snapshot are made through the command, and are still there when it comes up again', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'sim-command-'))
  atEnd(context, () => rmSync(folder, { recursive: true, force: true }))
  const state = join(folder, 'state')
  const options = ['--basic', '--allow-unencrypted', '--state', state, '--vms', '2', '--pace', '0.1']
  const imageService = { CreationClassName: 'Msvm_ImageManagementService' }

  const first = await startSimHyperv(...options)
  atEnd(context, first.stop)
  const ask = asking(first.urls[0] ?? '')
  const settings = diskSettings({ Type: 3, Format: 3, Path: DISK, MaxInternalSize: 40 * 1024 ** 3 })
  const created = await ask('CreateVirtualHardDisk', 'Msvm_ImageManagementService', {
    selectors: imageService,
    input: `<p:VirtualDiskSettingData>${escapeText(settings)}</p:VirtualDiskSettingData>`,
  })
  assert.equal(await followJob(ask, created), 'Msvm_StorageJob 7')
  const file = join(`${state}.files`, DISK.replace(':', '').replaceAll('\\', '/'))
  const info: Record<string, unknown> = JSON.parse(
    execFileSync('qemu-img', ['info', '--output=json', file], { encoding: 'utf8' }),
  )
  assert.deepEqual([info['format'], info['virtual-size']], ['vhdx', 40 * 1024 ** 3])

  const machines = await ask('Enumerate', 'Msvm_ComputerSystem', {
    wql: "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'vm-0002'",
    isOptimized: true,
  })
  const id = valueIn(machines, 'Name')
  const taken = await ask('CreateSnapshot', 'Msvm_VirtualSystemSnapshotService', {
    selectors: { CreationClassName: 'Msvm_VirtualSystemSnapshotService' },
    input: `<p:AffectedSystem>${reference('Msvm_ComputerSystem', { CreationClassName: 'Msvm_ComputerSystem', Name: id })}</p:AffectedSystem><p:SnapshotSettings></p:SnapshotSettings><p:SnapshotType>2</p:SnapshotType>`,
  })
  assert.equal(await followJob(ask, taken), 'Msvm_ConcreteJob 7')
  await first.stop()

  const second = await startSimHyperv(...options)
  atEnd(context, second.stop)
  const askAgain = asking(second.urls[0] ?? '')
  const told = await askAgain('GetVirtualHardDiskSettingData', 'Msvm_ImageManagementService', {
    selectors: imageService,
    input: `<p:Path>${DISK}</p:Path>`,
  })
  assert.match(told, /NAME="MaxInternalSize" TYPE="uint64"(?:&gt;|>)(?:&lt;|<)VALUE(?:&gt;|>)42949672960/)
  const snapshots = await askAgain('Enumerate', 'Msvm_VirtualSystemSettingData', {
    wql: "SELECT * FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemType = 'Microsoft:Hyper-V:Snapshot:Realized'",
    isOptimized: true,
  })
  assert.equal(valueIn(snapshots, 'VirtualSystemIdentifier'), id)
  assert.match(valueIn(snapshots, 'ElementName'), /^vm-0002 - \(\d{4}\//)
})
