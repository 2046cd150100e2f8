import { UsageError } from './failure.ts'

/** Throws UsageError where a URI on the command line holds a password: every user of the machine could read it. */
export function refusePassword(uri: string): void {
  const url = URL.parse(uri)
  if (url === null || url.password === '') return
  throw new UsageError(`the URI of ${url.host} holds a password, which others can see on the command line`, {
    hint: 'leave it out; the server takes passwords of hosts from its credential store or a file',
  })
}
