import { command, type Group } from '../command.ts'
import { find } from '../find.ts'
import { newPassword } from '../password.ts'
import { allRecords } from '../records.ts'

const PASSWORD_FILE = {
  passwordFile: { doc: 'the new password, in this file; - for standard input', value: 'FILE' },
} as const

const add = command({
  doc: 'Add a user who can log in.',
  args: { name: { doc: 'what the user logs in as: letters, digits and . _ @ -' } },
  options: { fullName: { doc: "the user's full name", value: 'TEXT' }, ...PASSWORD_FILE },
  examples: ['user add ada --full-name "Ada Lovelace"', 'user add backup --password-file ./backup.password'],
  async run(context, { name, fullName = '', passwordFile }) {
    const password = await newPassword(name, passwordFile, context.io)
    const client = await context.connect()
    const user = await client.user.create({ short_name: name, fullname: fullName })
    try {
      await client.user.change_password({ user, password })
    } catch (error) {
      await client.user.delete({ self: user }) // A user without a password would be in the way of the next attempt.
      throw error
    }
    context.tell(`user ${name} added`, { user })
  },
})

const passwd = command({
  doc: 'Change a password: your own, or as an administrator anybody’s. Other sessions of that user end.',
  args: { name: { doc: 'the user; without it, whoever is logged in', optional: true } },
  options: PASSWORD_FILE,
  examples: ['user passwd', 'user passwd ada --password-file ./ada.password'],
  async run(context, { name, passwordFile }) {
    const client = await context.connect()
    const whose = name ?? (await context.user())
    const user = await find(client, 'user', whose)
    await client.user.change_password({ user, password: await newPassword(whose, passwordFile, context.io) })
    context.tell(`password of ${whose} changed`, { user })
  },
})

const list = command({
  doc: 'List the users.',
  examples: ['user list'],
  async run(context) {
    const users = await allRecords(await context.connect(), 'user')
    context.list(
      ['NAME', 'UUID', 'FULL NAME'],
      users.map(each => [each.short_name, each.uuid, each.fullname]),
      users,
    )
  },
})

const remove = command({
  doc: 'Delete a user, whose sessions end.',
  args: { name: { doc: 'the user' } },
  examples: ['user delete ada'],
  async run(context, { name }) {
    const client = await context.connect()
    await client.user.delete({ self: await find(client, 'user', name) })
    context.tell(`user ${name} deleted`, { name })
  },
})

/** Who may log in. */
export const user: Group = {
  doc: 'Users: who may log in',
  commands: { list, add, passwd, delete: remove },
}
