import { network as networkClass } from '../../model/index.ts'
import { command, type Group } from '../command.ts'
import { find } from '../find.ts'
import { allRecords } from '../records.ts'
import { FIELD_ARGUMENTS, setField } from '../set-field.ts'

const NETWORK = { network: { doc: 'UUID or name of the network' } } as const

const list = command({
  doc: 'List the networks.',
  examples: ['network list'],
  async run(context) {
    const networks = await allRecords(await context.connect(), 'network')
    const rows = networks.map(each => [
      each.name_label,
      each.uuid,
      each.NIC === '' ? '-' : each.NIC,
      each.VLAN === '' ? '-' : each.VLAN,
      String(each.VIFs.length),
    ])
    context.list(['NAME', 'UUID', 'NIC', 'VLAN', 'CARDS'], rows, networks)
  },
})

const create = command({
  doc: 'Make a network. Without --nic its guests reach the outside through the sockets of the host.',
  args: { name: { doc: 'its name' } },
  options: {
    nic: { doc: 'the ethernet device or bridge of the host that leads outside', value: 'DEVICE' },
    vlan: { doc: 'the tag it has there, 1 to 4094', value: 'TAG' },
    gateway: { doc: 'the address guests are told to send through', value: 'ADDRESS' },
    netmask: { doc: 'the netmask guests are told', value: 'MASK' },
    description: { doc: 'a note', value: 'TEXT' },
  },
  examples: ['network create lab', 'network create office --nic eth0 --vlan 7'],
  async run(context, { name, nic = '', vlan = '', gateway = '', netmask = '', description = '' }) {
    const client = await context.connect()
    const uuid = await client.network.create({
      name_label: name,
      name_description: description,
      NIC: nic,
      VLAN: vlan,
      default_gateway: gateway,
      default_netmask: netmask,
    })
    context.tell(uuid, { uuid })
  },
})

const set = command({
  doc: 'Change a field of a network; cards stay plugged in.',
  args: { ...NETWORK, ...FIELD_ARGUMENTS },
  examples: ['network set lab VLAN 7', 'network set lab name_label office'],
  run: (context, { network: name, field, value }) => setField(context, networkClass, { name, field, value }),
})

const remove = command({
  doc: 'Delete a network. Cards must be taken from it first.',
  args: NETWORK,
  examples: ['network delete lab'],
  async run(context, { network: name }) {
    const client = await context.connect()
    const self = await find(client, 'network', name)
    await client.network.delete({ self })
    context.tell(`network ${name} deleted`, { uuid: self })
  },
})

/** What network cards are plugged into. */
export const network: Group = {
  doc: 'Networks: what the network cards of VMs are plugged into',
  commands: { list, create, set, delete: remove },
}
