import { command, type Group } from '../command.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'
import { allRecords } from '../records.ts'
import { formatBytes } from '../size.ts'

const list = command({
  doc: 'List the storage repositories.',
  examples: ['sr list'],
  async run(context) {
    const repositories = await allRecords(await context.connect(), 'SR')
    const rows = repositories.map(each => [
      each.name_label,
      each.uuid,
      each.type,
      String(each.VDIs.length),
      formatBytes(each.physical_utilisation),
      formatBytes(each.physical_size),
      each.location,
    ])
    context.list(['NAME', 'UUID', 'TYPE', 'DISKS', 'USED', 'SIZE', 'LOCATION'], rows, repositories)
  },
})

const scan = command({
  doc: 'Look through a repository: images that appeared become disks, sizes are read again.',
  args: { sr: { doc: 'UUID or name of the repository' } },
  examples: ['sr scan "Default repository"'],
  async run(context, { sr: name }) {
    const client = await context.connect()
    const sr = await find(client, 'SR', name)
    const done = await finish(context, client, await client.Async.SR.scan({ sr }), `scanning ${name}`)
    if (done === undefined) return
    const disks = (await client.SR.get_VDIs({ self: sr })).length
    context.tell(`${name} holds ${disks} ${disks === 1 ? 'disk' : 'disks'}`, { sr, disks })
  },
})

/** Where images are kept. */
export const sr: Group = { doc: 'Storage repositories: where the images of disks are kept', commands: { list, scan } }
