import { command, type Group } from '../command.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'
import { allRecords } from '../records.ts'
import { formatBytes } from '../size.ts'

const SR = { sr: { doc: 'UUID or name of the repository' } } as const

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
  args: SR,
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

const create = command({
  doc: 'Make a repository of a folder of the host; the images in it become disks.',
  args: {
    name: { doc: 'its name' },
    location: { doc: 'the folder, by its whole path; one that is not there is made' },
  },
  options: {
    type: { doc: 'what it is to the host; without it, dir', value: 'TYPE' },
    host: { doc: 'whose folder it is; without it, that of the first that knows the type', value: 'HOST' },
  },
  examples: ['sr create images /srv/images', "sr create images 'D:\\Images' --host hv1"],
  async run(context, { name, location, type = 'dir', host }) {
    const client = await context.connect()
    const place = { location, type, ...(host === undefined ? {} : { host: await find(client, 'host', host) }) }
    const task = await client.Async.SR.create({ name_label: name, ...place })
    const done = await finish(context, client, task, `opening ${location}`)
    if (done !== undefined) context.tell(done.value, { uuid: done.value })
  },
})

const clone = command({
  doc: 'Copy a repository with all its disks to another folder. Prints the UUID.',
  args: { ...SR, name: { doc: 'the name of the copy' }, location: { doc: 'its folder, by its whole path' } },
  examples: ['sr clone images images-copy /srv/images-copy'],
  async run(context, { sr: source, name, location: loc }) {
    const client = await context.connect()
    const sr = await find(client, 'SR', source)
    const done = await finish(context, client, await client.Async.SR.clone({ sr, loc, name }), `cloning ${source}`)
    if (done !== undefined) context.tell(done.value, { uuid: done.value })
  },
})

const remove = command({
  doc: 'Forget a repository. Its disks must be deleted first.',
  args: SR,
  examples: ['sr delete images-copy'],
  async run(context, { sr: name }) {
    const client = await context.connect()
    const self = await find(client, 'SR', name)
    await client.SR.delete({ self })
    context.tell(`repository ${name} deleted`, { uuid: self })
  },
})

/** Where images are kept. */
export const sr: Group = {
  doc: 'Storage repositories: where the images of disks are kept',
  commands: { list, create, scan, clone, delete: remove },
}
