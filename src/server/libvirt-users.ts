import type { Accounts } from '../engine/accounts.ts'
import type { ScramLogin } from '../engine/scram-logins.ts'
import { LoginLater, type LoginExchange, type LoginWay, type User } from '../libvirt/rpc/index.ts'
import { SCRAM_MECHANISM, ScramError } from '../wire/scram/index.ts'
import type { Log } from './request.ts'

/** How clients of libvirt that come from an address log in: by SCRAM-SHA-256, with the names and passwords of the users. */
export function loginBySasl(accounts: Accounts, address: string, log: Log): LoginWay<User> {
  return {
    mechanisms: [SCRAM_MECHANISM],
    begin: () => exchangeOf(accounts, accounts.login(address), address, log),
  }
}

function exchangeOf(accounts: Accounts, login: ScramLogin, address: string, log: Log): LoginExchange<User> {
  return {
    async step(data) {
      const answer = await stepOf(login, data)
      if (answer === 'nonsense') return undefined
      const user = answer?.user === undefined ? undefined : accounts.of(answer.user)
      if (answer === undefined || (answer.user !== undefined && user === undefined)) {
        log.warn({ address }, 'a client of libvirt was not let in')
        return undefined
      }
      return { data: Buffer.from(answer.message), ...(user !== undefined && { user }) }
    },
  }
}

/** Wrong passwords are bounded in number, and so in the log; nonsense is in neither. */
async function stepOf(login: ScramLogin, data: Uint8Array) {
  try {
    return await login.step(data)
  } catch (error) {
    if (error instanceof ScramError) return 'nonsense'
    if (isRateLimited(error)) throw new LoginLater('too many attempts have failed; try again later', { cause: error })
    throw error
  }
}

const isRateLimited = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'SESSION_LOGIN_RATE_LIMITED'
