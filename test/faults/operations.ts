/** The operations of several steps, each with the objects that it begins with. */

import type { Answer } from '../../src/engine/engine.ts'
import type { Lab } from './lab.ts'

type Objects = Readonly<Record<string, string>>

/** An operation that is disturbed at each of its steps. */
export interface Disturbed {
  readonly name: string
  /** The hosts of the lab; one where nothing is said. */
  readonly hosts?: readonly string[]
  readonly prepare: (lab: Lab) => Promise<Objects>
  /** May be called again once it has failed. */
  readonly act: (lab: Lab, objects: Objects) => Promise<Answer>
  /**
   * What leads to the end of an operation that was broken off where it cannot be taken back: a machine whose power was
   * cut is Halted, and says so. Absent: it is all or nothing.
   */
  readonly goOn?: (lab: Lab, objects: Objects) => Promise<Answer>
}

const MIB = 1024n * 1024n
const SMALL = { memory_static_max: String(64n * MIB), name_label: 'guest' }
const SHELF = { type: 'memory', location: 'shelf', name_label: 'shelf' }

async function disk(lab: Lab, VM: string, device: string): Promise<{ VDI: string; VBD: string }> {
  const VDI = await lab.text('VDI.create', { virtual_size: '2048' })
  return { VDI, VBD: await lab.text('VBD.create', { VM, VDI, device }) }
}

/** A VM with two disks and an interface in a network. */
async function whole(lab: Lab, values: Readonly<Record<string, string | boolean>> = {}): Promise<Objects> {
  const VM = await lab.text('VM.create', { ...SMALL, ...values })
  const { VDI, VBD } = await disk(lab, VM, 'hda')
  const second = await disk(lab, VM, 'hdb')
  const network = await lab.text('network.create', { name_label: 'lan' })
  const VIF = await lab.text('VIF.create', { VM, network })
  return { VM, VDI, VBD, VDI2: second.VDI, VBD2: second.VBD, network, VIF }
}

async function running(lab: Lab, values: Readonly<Record<string, string | boolean>> = {}): Promise<Objects> {
  const objects = await whole(lab, values)
  await lab.ok('VM.start', objects['VM'] ?? '', false)
  return objects
}

async function suspended(lab: Lab): Promise<Objects> {
  const objects = await running(lab)
  await lab.ok('VM.suspend', objects['VM'] ?? '', false)
  return objects
}

/** A running VM, and a disk, a drive, an interface and a network that it has not. */
async function withSpares(lab: Lab): Promise<Objects> {
  const objects = await running(lab)
  const { VM = '' } = objects
  const drive = await lab.text('VBD.create', { VM, type: 'CD', mode: 'RO' })
  const disc = await lab.text('VDI.create', { virtual_size: '2048', read_only: true })
  const spare = await lab.text('VDI.create', { virtual_size: '2048' })
  const lone = await lab.text('VBD.create', { VDI: spare, device: 'hdd' })
  const other = await lab.text('network.create', { name_label: 'other' })
  const card = await lab.text('VIF.create', { network: other })
  const twin = await lab.text('VM.create', { ...SMALL, name_label: 'twin' })
  await lab.ok('VM.start', twin, false)
  return { ...objects, drive, disc, spare, lone, other, card, twin }
}

async function shelf(lab: Lab): Promise<Objects> {
  const SR = await lab.text('SR.create', SHELF)
  const VDI = await lab.text('VDI.create', { virtual_size: '2048', SR })
  const child = await lab.text('VDI.snapshot', VDI)
  return { SR, VDI, child }
}

/** Calls a message of the VM. */
const ofVm =
  (message: string, ...args: readonly boolean[]) =>
  (lab: Lab, { VM = '' }: Objects) =>
    lab.call(`VM.${message}`, VM, ...args)

const lifeOperations: readonly Disturbed[] = [
  { name: 'VM.start', prepare: whole, act: ofVm('start', false) },
  { name: 'VM.start paused', prepare: whole, act: ofVm('start', true) },
  { name: 'VM.suspend', prepare: running, act: ofVm('suspend', true) },
  { name: 'VM.resume', prepare: suspended, act: ofVm('resume', false) },
  { name: 'VM.clean_shutdown', prepare: running, act: ofVm('clean_shutdown') },
  {
    name: 'VM.clean_shutdown and start again',
    prepare: lab => running(lab, { actions_after_shutdown: 'restart' }),
    act: ofVm('clean_shutdown'),
    goOn: ofVm('start', false),
  },
  {
    name: 'VM.clean_reboot',
    prepare: lab => running(lab, { actions_after_reboot: 'restart' }),
    act: ofVm('clean_reboot'),
    goOn: ofVm('start', false),
  },
  {
    name: 'VM.clean_reboot where a shutdown restarts too',
    prepare: lab => running(lab, { actions_after_reboot: 'restart', actions_after_shutdown: 'restart' }),
    act: ofVm('clean_reboot'),
    goOn: ofVm('start', false),
  },
  {
    name: 'VM.hard_shutdown and start again',
    prepare: lab => running(lab, { actions_after_shutdown: 'restart' }),
    act: ofVm('hard_shutdown'),
    goOn: ofVm('start', false),
  },
  { name: 'VM.hard_shutdown of a suspended one', prepare: suspended, act: ofVm('hard_shutdown') },
  {
    name: 'VM.hard_reboot',
    prepare: lab => running(lab, { actions_after_reboot: 'destroy' }),
    act: ofVm('hard_reboot'),
  },
  {
    name: 'VM.set_actions_after_crash',
    prepare: running,
    act: (lab, { VM = '' }) => lab.call('VM.set_actions_after_crash', VM, 'preserve'),
  },
  {
    name: 'VM.set_memory_dynamic_max',
    prepare: running,
    act: (lab, { VM = '' }) => lab.call('VM.set_memory_dynamic_max', VM, String(32n * MIB)),
  },
  {
    name: 'VM.set_VCPUs_params',
    prepare: running,
    act: (lab, { VM = '' }) => lab.call('VM.set_VCPUs_params', VM, 'weight=512'),
  },
]

const definitionOperations: readonly Disturbed[] = [
  {
    name: 'VM.create with disks and interfaces of another',
    prepare: whole,
    act: (lab, { VBD = '', VBD2 = '', VIF = '' }) =>
      lab.call('VM.create', { ...SMALL, VBDs: [VBD, VBD2], VIFs: [VIF] }),
  },
  { name: 'VM.clone', prepare: whole, act: (lab, { VM = '' }) => lab.call('VM.clone', VM, 'copy') },
  {
    name: 'VM.install',
    prepare: lab => whole(lab, { is_a_template: true }),
    act: (lab, { VM = '' }) => lab.call('VM.install', VM, 'installed'),
  },
  { name: 'VM.delete', prepare: whole, act: ofVm('delete') },
  {
    name: 'VM.set_affinity',
    hosts: ['one', 'two'],
    async prepare(lab) {
      const VM = await lab.text('VM.create', SMALL)
      const [, host = ''] = await lab.list('host.get_all')
      return { VM, host }
    },
    act: (lab, { VM = '', host = '' }) => lab.call('VM.set_affinity', VM, host),
  },
]

const imageOperations: readonly Disturbed[] = [
  {
    name: 'VDI.create',
    prepare: async () => ({}),
    act: lab => lab.call('VDI.create', { virtual_size: '2048' }),
  },
  {
    name: 'VDI.create with a parent, and a device',
    prepare: whole,
    act: (lab, { VDI = '', VBD2 = '' }) => lab.call('VDI.create', { parent: VDI, virtual_size: '4096', VBDs: [VBD2] }),
  },
  { name: 'VDI.snapshot', prepare: whole, act: (lab, { VDI = '' }) => lab.call('VDI.snapshot', VDI) },
  {
    name: 'VDI.snapshot while it is written',
    prepare: running,
    act: (lab, { VDI = '' }) => lab.call('VDI.snapshot', VDI),
  },
  {
    name: 'VDI.set_SR',
    async prepare(lab) {
      const SR = await lab.text('SR.create', SHELF)
      return { SR, VDI: await lab.text('VDI.create', { virtual_size: '2048' }) }
    },
    act: (lab, { VDI = '', SR = '' }) => lab.call('VDI.set_SR', VDI, SR),
  },
  {
    name: 'VDI.delete',
    prepare: async lab => ({ VDI: await lab.text('VDI.create', { virtual_size: '2048' }) }),
    act: (lab, { VDI = '' }) => lab.call('VDI.delete', VDI),
  },
  {
    name: 'VDI.set_virtual_size',
    prepare: async lab => ({ VDI: await lab.text('VDI.create', { virtual_size: '2048' }) }),
    act: (lab, { VDI = '' }) => lab.call('VDI.set_virtual_size', VDI, '4096'),
  },
  {
    name: 'SR.create with images',
    prepare: whole,
    act: (lab, { VDI = '', VDI2 = '' }) =>
      lab.call('SR.create', { ...SHELF, location: 'new shelf', VDIs: [VDI, VDI2] }),
  },
  { name: 'SR.clone', prepare: shelf, act: (lab, { SR = '' }) => lab.call('SR.clone', SR, 'copies', 'copies') },
  {
    name: 'SR.scan',
    async prepare(lab) {
      const objects = await shelf(lab)
      const { storage } = lab.eye('one')
      await storage.createVolume(
        { type: 'memory', location: 'shelf' },
        { name: 'stranger', format: 'raw', virtualBytes: 512 },
      )
      return objects
    },
    act: (lab, { SR = '' }) => lab.call('SR.scan', SR),
  },
  {
    name: 'VM.create with devices of one that runs',
    prepare: withSpares,
    act: (lab, { VBD = '', VIF = '' }) => lab.call('VM.create', { ...SMALL, VBDs: [VBD], VIFs: [VIF] }),
  },
  {
    name: 'VDI.create with a device of a VM that runs',
    prepare: withSpares,
    act: (lab, { drive = '' }) => lab.call('VDI.create', { virtual_size: '8', read_only: true, VBDs: [drive] }),
  },
  {
    name: 'network.create with interfaces of VMs that run',
    prepare: withSpares,
    act: (lab, { VIF = '', card = '' }) => lab.call('network.create', { name_label: 'new', VIFs: [VIF, card] }),
  },
  {
    name: 'SR.set_VDIs',
    async prepare(lab) {
      const SR = await lab.text('SR.create', SHELF)
      const [a, b] = [
        await lab.text('VDI.create', { virtual_size: '8' }),
        await lab.text('VDI.create', { virtual_size: '8' }),
      ]
      return { SR, a, b }
    },
    act: (lab, { SR = '', a = '', b = '' }) => lab.call('SR.set_VDIs', SR, [a, b]),
  },
]

const deviceOperations: readonly Disturbed[] = [
  {
    name: 'VBD.create',
    prepare: withSpares,
    act: (lab, { VM = '', spare = '' }) => lab.call('VBD.create', { VM, VDI: spare }),
  },
  { name: 'VBD.delete', prepare: withSpares, act: (lab, { VBD = '' }) => lab.call('VBD.delete', VBD) },
  { name: 'VBD.set_VM', prepare: withSpares, act: (lab, { VBD = '', twin = '' }) => lab.call('VBD.set_VM', VBD, twin) },
  {
    name: 'VBD.set_VM of a lone one',
    prepare: withSpares,
    act: (lab, { lone = '', VM = '' }) => lab.call('VBD.set_VM', lone, VM),
  },
  {
    name: 'VBD.set_VDI',
    prepare: withSpares,
    act: (lab, { VBD = '', spare = '' }) => lab.call('VBD.set_VDI', VBD, spare),
  },
  {
    name: 'VBD.insert',
    prepare: withSpares,
    act: (lab, { drive = '', disc = '' }) => lab.call('VBD.insert', drive, disc),
  },
  {
    name: 'VBD.eject',
    async prepare(lab) {
      const objects = await withSpares(lab)
      await lab.ok('VBD.insert', objects['drive'] ?? '', objects['disc'] ?? '')
      return objects
    },
    act: (lab, { drive = '' }) => lab.call('VBD.eject', drive),
  },
  {
    name: 'VIF.create',
    prepare: withSpares,
    act: (lab, { VM = '', other = '' }) => lab.call('VIF.create', { VM, network: other }),
  },
  { name: 'VIF.delete', prepare: withSpares, act: (lab, { VIF = '' }) => lab.call('VIF.delete', VIF) },
  {
    name: 'VIF.set_network',
    prepare: withSpares,
    act: (lab, { VIF = '', other = '' }) => lab.call('VIF.set_network', VIF, other),
  },
  { name: 'VIF.set_VM', prepare: withSpares, act: (lab, { VIF = '', twin = '' }) => lab.call('VIF.set_VM', VIF, twin) },
  {
    name: 'VM.set_VBDs',
    prepare: withSpares,
    act: (lab, { VM = '', VBD = '', lone = '' }) => lab.call('VM.set_VBDs', VM, [VBD, lone]),
  },
]

const hostOperations: readonly Disturbed[] = [
  {
    name: 'network.set_VLAN',
    prepare: running,
    act: (lab, { network = '' }) => lab.call('network.set_VLAN', network, '7'),
  },
  {
    name: 'network.delete',
    async prepare(lab) {
      const objects = await running(lab)
      await lab.ok('VIF.delete', objects['VIF'] ?? '')
      return objects
    },
    act: (lab, { network = '' }) => lab.call('network.delete', network),
  },
  {
    name: 'host.add',
    hosts: ['one', 'two'],
    prepare: async lab => {
      const [, host = ''] = await lab.list('host.get_all')
      await lab.ok('host.remove', host)
      return {}
    },
    act: lab => lab.call('host.add', 'memory:///two'),
    goOn: lab => lab.call('host.add', 'memory:///two'),
  },
  {
    name: 'host.remove',
    hosts: ['one', 'two'],
    prepare: async lab => ({ host: (await lab.list('host.get_all'))[1] ?? '' }),
    act: (lab, { host = '' }) => lab.call('host.remove', host),
  },
  {
    name: 'host.remove of another machine',
    hosts: ['one', 'far'],
    prepare: async lab => ({ host: (await lab.list('host.get_all'))[1] ?? '' }),
    act: (lab, { host = '' }) => lab.call('host.remove', host),
  },
]

/** All of them. */
export const OPERATIONS: readonly Disturbed[] = [
  ...lifeOperations,
  ...definitionOperations,
  ...imageOperations,
  ...deviceOperations,
  ...hostOperations,
]
