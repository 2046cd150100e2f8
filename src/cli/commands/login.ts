import { command } from '../command.ts'
import { FIRST_USER, openClient, passwordOf } from '../connect.ts'
import { forgetSession, loadSession, saveSession } from '../session-file.ts'

/** Keeps a session for the commands that follow. */
export const login = command({
  doc: 'Log in, so that the commands that follow need no password. The session is kept for this server only.',
  examples: ['login', 'login --url https://server:4443 --fingerprint SHA256 --user ada'],
  async run(context) {
    const { io, options } = context
    const client = await openClient(options, io)
    try {
      const { url } = client
      const user = options.user ?? FIRST_USER
      const session = await client.login(user, await passwordOf(user, client, options, io))
      await saveSession({ url, user, session }, io)
      context.tell(`logged in at ${url} as ${user}`, { url, user })
    } finally {
      client.close()
    }
  },
})

/** Ends the session that was kept. */
export const logout = command({
  doc: 'End the session that login keeps.',
  examples: ['logout'],
  async run(context) {
    const { io, options } = context
    const client = await openClient(options, io)
    try {
      const { url } = client
      const saved = await loadSession(url, io)
      await forgetSession(url, io) // First: it is gone from here also where the server does not answer.
      if (saved !== undefined) client.resume(saved.session)
      await client.logout()
      context.tell(saved === undefined ? `not logged in at ${url}` : `logged out at ${url}`, { url })
    } finally {
      client.close()
    }
  },
})
