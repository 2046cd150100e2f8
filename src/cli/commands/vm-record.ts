/** VMs as records: what there is, how it is described, made, changed and deleted. */

import { type VisibleRecordOf } from '../../client/index.ts'
import { VM } from '../../model/index.ts'
import { wireName } from '../../model/kernel/define.ts'
import { visibleFields } from '../../model/kernel/operations.ts'
import { command } from '../command.ts'
import { UsageError } from '../failure.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'
import { allRecords, namesOf } from '../records.ts'
import { formatBytes } from '../size.ts'
import { FIELD_ARGUMENTS, setField } from '../set-field.ts'
import { type FieldWord, parseFields } from '../value.ts'

type VmRecord = VisibleRecordOf<typeof VM>

const VM_ARGUMENT = { vm: { doc: 'UUID or name of the VM' } } as const

/** Lists the VMs. */
export const list = command({
  doc: 'List the VMs.',
  examples: ['vm list', 'vm list --json'],
  async run(context) {
    const client = await context.connect()
    const [vms, hosts] = await Promise.all([allRecords(client, 'VM'), namesOf(client, 'host')])
    const rows = vms.map(vm => [
      vm.name_label,
      vm.uuid,
      vm.is_a_template ? 'template' : vm.power_state,
      String(vm.VCPUs_number),
      formatBytes(vm.memory_static_max),
      hosts.get(hostOf(vm)) ?? '-',
    ])
    context.list(['NAME', 'UUID', 'STATE', 'VCPUS', 'MEMORY', 'HOST'], rows, vms)
  },
})

/** Where it runs, or else will start. */
const hostOf = (vm: VmRecord): string => (vm.resident_on === '' ? vm.affinity : vm.resident_on)

/** Shows every field of a VM. */
export const show = command({
  doc: 'Show all fields of a VM.',
  args: VM_ARGUMENT,
  examples: ['vm show web-1', 'vm show web-1 --json'],
  async run(context, { vm: name }) {
    const client = await context.connect()
    const record = await client.record('VM', await find(client, 'VM', name))
    const values = new Map<string, unknown>(Object.entries(record))
    const rows = visibleFields(VM).map(([path, { unit }]) => [wireName(path), shown(values.get(wireName(path)), unit)])
    context.list(['FIELD', 'VALUE'], rows, record)
  },
})

function shown(value: unknown, unit: string | undefined): string {
  if (typeof value === 'bigint') return unit === 'bytes' ? formatBytes(value) : String(value)
  if (Array.isArray(value)) return value.join(', ')
  if (value instanceof Map) return [...value].map(([key, entry]) => `${key}=${entry}`).join(', ')
  return String(value)
}

/** Makes a VM. */
export const create = command({
  doc: 'Make a VM, halted and without disks, and print its UUID.',
  args: { name: { doc: 'its name' } },
  options: {
    memory: { doc: 'such as 2G; without it, 256 MiB', value: 'SIZE' },
    vcpus: { doc: 'how many processors; without it, one', value: 'N' },
    description: { doc: 'a note', value: 'TEXT' },
    host: { doc: 'the host to run on; without it, the server chooses', value: 'HOST' },
    kernel: { doc: 'whole path of a kernel to boot directly, on the host', value: 'FILE' },
    initrd: { doc: "whole path of the kernel's initrd", value: 'FILE' },
    kernelArgs: { doc: "the kernel's command line", value: 'TEXT' },
    template: { doc: 'make a template, which is only ever cloned' },
    set: { doc: 'any other field (repeatable)', value: 'FIELD=VALUE', many: true },
  },
  examples: [
    'vm create web-1 --memory 2G --vcpus 2',
    'vm create tiny --kernel /srv/vmlinuz --initrd /srv/initrd --kernel-args console=ttyS0',
  ],
  async run(context, options) {
    const words: FieldWord[] = [
      ['name_label', options.name],
      ...given('memory_static_max', options.memory, '--memory'),
      ...given('VCPUs_number', options.vcpus, '--vcpus'),
      ...given('name_description', options.description),
      ...given('boot_method', options.kernel === undefined ? undefined : 'kernel_external'),
      ...given('kernel_kernel', options.kernel),
      ...given('kernel_initrd', options.initrd),
      ...given('kernel_args', options.kernelArgs),
      ...given('is_a_template', options.template ? 'true' : undefined),
      ...options.set.map(assignment),
    ]
    const record = parseFields(VM, words)
    const client = await context.connect()
    const affinity = options.host === undefined ? {} : { affinity: await find(client, 'host', options.host) }
    const vm = String(await client.invoke('VM.create', { ...record, ...affinity }))
    context.tell(vm, { uuid: vm })
  },
})

const given = (field: string, text: string | undefined, option?: string): readonly FieldWord[] =>
  text === undefined ? [] : [[field, text, option]]

function assignment(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at === -1) throw new UsageError(`--set takes FIELD=VALUE, not ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Changes a field of a VM. */
export const set = command({
  doc: 'Change a field of a VM.',
  args: { ...VM_ARGUMENT, ...FIELD_ARGUMENTS },
  examples: ['vm set web-1 name_description "the first one"', 'vm set web-1 memory_dynamic_max 512M'],
  run: (context, { vm, field, value }) => setField(context, VM, { name: vm, field, value }),
})

/** Deletes a VM. */
export const remove = command({
  doc: 'Delete a halted VM. Its disks stay: see disk delete.',
  args: VM_ARGUMENT,
  examples: ['vm delete web-1'],
  async run(context, { vm: name }) {
    const client = await context.connect()
    const self = await find(client, 'VM', name)
    const done = await finish(context, client, await client.Async.VM.delete({ self }), `deleting ${name}`)
    if (done !== undefined) context.tell(`VM ${name} deleted`, { uuid: self })
  },
})
