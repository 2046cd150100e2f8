/** VMs made of others. */

import { command } from '../command.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'

/** Copies a VM. */
export const clone = command({
  doc: 'Copy a halted VM with its disks, which share their blocks until one of them is written to. Prints the UUID.',
  args: { vm: { doc: 'UUID or name of the VM or template' }, name: { doc: 'the name of the copy' } },
  examples: ['vm clone web-1 web-2'],
  async run(context, { vm: name, name: new_name }) {
    const client = await context.connect()
    const vm = await find(client, 'VM', name)
    const done = await finish(context, client, await client.Async.VM.clone({ vm, new_name }), `cloning ${name}`)
    if (done !== undefined) context.tell(done.value, { uuid: done.value })
  },
})

/** Makes a VM of a template. */
export const install = command({
  doc: 'Make a VM of a template, ready to start. Prints the UUID.',
  args: { template: { doc: 'UUID or name of the template' }, name: { doc: 'the name of the new VM' } },
  examples: ['vm install debian web-3'],
  async run(context, { template: name, name: new_name }) {
    const client = await context.connect()
    const template = await find(client, 'VM', name)
    const task = await client.Async.VM.install({ template, new_name })
    const done = await finish(context, client, task, `installing ${new_name}`)
    if (done !== undefined) context.tell(done.value, { uuid: done.value })
  },
})
