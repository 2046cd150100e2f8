import { NULL_REF, type Ref, type XenApiClient } from '../../client/index.ts'
import { driverType } from '../../model/enums.ts'
import { command, type Group } from '../command.ts'
import { Failure } from '../failure.ts'
import { find } from '../find.ts'
import { allRecords, namesOf, recordsOf } from '../records.ts'
import { parseEnum, parseFields } from '../value.ts'
import { VIF } from '../../model/index.ts'

const VM_ARGUMENT = { vm: { doc: 'UUID or name of the VM' } } as const
const CARD = { ...VM_ARGUMENT, nic: { doc: 'the card: its name, such as eth0, its MAC address or UUID' } } as const

const list = command({
  doc: 'List the network cards of all VMs, or of one.',
  args: { vm: { doc: 'UUID or name of the VM', optional: true } },
  examples: ['nic list', 'nic list web-1'],
  async run(context, { vm }) {
    const client = await context.connect()
    const nics =
      vm === undefined ? await allRecords(client, 'VIF') : await cardsOf(client, await find(client, 'VM', vm))
    const [vms, networks] = await Promise.all([namesOf(client, 'VM'), namesOf(client, 'network')])
    const rows = nics.map(nic => [
      vms.get(nic.VM) ?? '-',
      nic.device,
      nic.MAC,
      networks.get(nic.network) ?? '-',
      nic.type,
      `${nic.network_read_kbs.toFixed(1)} KiB/s`,
      `${nic.network_write_kbs.toFixed(1)} KiB/s`,
    ])
    context.list(['VM', 'NAME', 'MAC', 'NETWORK', 'DRIVER', 'IN', 'OUT'], rows, nics)
  },
})

const add = command({
  doc: 'Give a VM a network card, at once where it runs.',
  args: { ...VM_ARGUMENT, network: { doc: 'the network; without it, the cable hangs loose', optional: true } },
  options: {
    mac: { doc: 'its MAC address; without it, a random one', value: 'MAC' },
    mtu: { doc: 'the largest packet, in octets; without it, 1500', value: 'N' },
    driver: { doc: 'ioemu (default), a card for every guest, or paravirtualised: faster', value: 'DRIVER' },
    device: { doc: 'its name, such as eth0; without it, the next that is free', value: 'NAME' },
  },
  examples: ['nic add web-1 lab', 'nic add web-1 lab --driver paravirtualised --mac 02:00:00:00:00:01'],
  async run(context, { vm, network: into, mac = '', mtu = '1500', driver = 'ioemu', device = '' }) {
    const type = parseEnum(driverType, driver, '--driver')
    const chosen = parseFields(VIF, [['MTU', mtu, '--mtu']])
    const client = await context.connect()
    const VM = await find(client, 'VM', vm)
    const network = into === undefined ? NULL_REF : await find(client, 'network', into)
    const vif = String(await client.invoke('VIF.create', { ...chosen, VM, network, MAC: mac, type, device }))
    const made = await client.record('VIF', vif)
    const where = into === undefined ? 'plugged in nowhere' : `in ${into}`
    context.tell(`${made.device} of ${vm} is ${where}, ${made.MAC}`, { vif, device: made.device, mac: made.MAC })
  },
})

const remove = command({
  doc: 'Take a network card from a VM, at once where it runs.',
  args: CARD,
  examples: ['nic remove web-1 eth1'],
  async run(context, { vm, nic }) {
    const client = await context.connect()
    const { uuid, device } = await cardNamed(client, vm, nic)
    await client.VIF.delete({ self: uuid })
    context.tell(`${device} of ${vm} removed`, { vif: uuid })
  },
})

const connect = command({
  doc: 'Plug the cable of a network card into another network, at once where the VM runs.',
  args: { ...CARD, network: { doc: 'UUID or name of the network' } },
  examples: ['nic connect web-1 eth0 office'],
  async run(context, { vm, nic, network }) {
    const client = await context.connect()
    const { uuid, device } = await cardNamed(client, vm, nic)
    await client.VIF.set_network({ self: uuid, value: await find(client, 'network', network) })
    context.tell(`${device} of ${vm} is in ${network}`, { vif: uuid })
  },
})

const disconnect = command({
  doc: 'Pull the cable of a network card; the guest sees the carrier go.',
  args: CARD,
  examples: ['nic disconnect web-1 eth0'],
  async run(context, { vm, nic }) {
    const client = await context.connect()
    const { uuid, device } = await cardNamed(client, vm, nic)
    await client.VIF.set_network({ self: uuid, value: NULL_REF })
    context.tell(`${device} of ${vm} is plugged in nowhere`, { vif: uuid })
  },
})

const cardsOf = async (client: XenApiClient, self: Ref<'VM'>) =>
  recordsOf(client, 'VIF', await client.VM.get_VIFs({ self }))

async function cardNamed(client: XenApiClient, vm: string, nic: string) {
  const cards = await cardsOf(client, await find(client, 'VM', vm))
  const found = cards.find(({ device, MAC, uuid }) => [device, MAC, uuid].includes(nic))
  if (found !== undefined) return found
  throw new Failure(`${vm} has no network card ${nic}`, { hint: `see what it has with: polyvisor nic list ${vm}` })
}

/** Network cards. */
export const nic: Group = {
  doc: 'Network cards of VMs',
  commands: { list, add, remove, connect, disconnect },
}
