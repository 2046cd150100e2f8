import { command, type Group } from '../command.ts'
import { find } from '../find.ts'
import { allRecords } from '../records.ts'
import { refusePassword } from '../uri.ts'

const HOST = { host: { doc: 'UUID or name of the host' } } as const

const list = command({
  doc: 'List the hosts.',
  examples: ['host list', 'host list --json'],
  async run(context) {
    const hosts = await allRecords(await context.connect(), 'host')
    const rows = hosts.map(host => [
      host.name_label,
      host.uuid,
      host.live ? 'yes' : 'no',
      host.enabled ? 'yes' : 'no',
      String(host.resident_VMs.length),
      String(host.host_CPUs.length),
      host.uri,
    ])
    context.list(['NAME', 'UUID', 'LIVE', 'ENABLED', 'VMS', 'CPUS', 'URI'], rows, hosts)
  },
})

const add = command({
  doc: 'Connect a hypervisor; its VMs appear. One that is connected already stays as it is.',
  args: { uri: { doc: 'qemu:///system, hyperv://USER@HOST/?password_file=FILE or memory:///NAME?vms=N' } },
  examples: ['host add qemu:///system', "host add 'memory:///lab?vms=10&seed=1'"],
  async run(context, { uri }) {
    refusePassword(uri)
    const client = await context.connect()
    const before: readonly string[] = await client.host.get_all()
    const host = await client.host.add({ uri })
    const name = await client.host.get_name_label({ self: host })
    context.tell(`${name} ${before.includes(host) ? 'is connected already' : 'connected'}: ${host}`, { host, name })
  },
})

const enable = command({
  doc: 'Let VMs be started on a host again.',
  args: HOST,
  examples: ['host enable lab'],
  async run(context, { host }) {
    const client = await context.connect()
    await client.host.enable({ host: await find(client, 'host', host) })
    context.tell(`${host} starts VMs`, { host })
  },
})

const disable = command({
  doc: 'Keep VMs from being started on a host; those that run there go on.',
  args: HOST,
  examples: ['host disable lab'],
  async run(context, { host }) {
    const client = await context.connect()
    await client.host.disable({ host: await find(client, 'host', host) })
    context.tell(`${host} starts no VMs`, { host })
  },
})

const shutdown = command({
  doc: "Shut a host's machine down. It must be disabled and run no VM, and its operator must allow it.",
  args: HOST,
  examples: ['host shutdown lab'],
  async run(context, { host }) {
    const client = await context.connect()
    await client.host.shutdown({ host: await find(client, 'host', host) })
    context.tell(`${host} is shutting down`, { host })
  },
})

const reboot = command({
  doc: "Reboot a host's machine. It must be disabled and run no VM, and its operator must allow it.",
  args: HOST,
  examples: ['host reboot lab'],
  async run(context, { host }) {
    const client = await context.connect()
    await client.host.reboot({ host: await find(client, 'host', host) })
    context.tell(`${host} is rebooting`, { host })
  },
})

const remove = command({
  doc: 'Disconnect a hypervisor and forget its host. It must have no VMs and no disks any more; those of a Hyper-V host, and of one that is gone, are forgotten and not touched.',
  args: HOST,
  examples: ['host remove lab'],
  async run(context, { host }) {
    const client = await context.connect()
    await client.host.remove({ host: await find(client, 'host', host) })
    context.tell(`${host} disconnected`, { host })
  },
})

/** Hypervisors. */
export const host: Group = {
  doc: 'Hosts: the machines on which VMs run',
  commands: { list, add, enable, disable, shutdown, reboot, remove },
}
