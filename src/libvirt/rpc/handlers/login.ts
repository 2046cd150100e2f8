import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { loginRefusal, type Login, type SaslAnswer } from '../sasl-login.ts'
import { bit } from '../wire.ts'

/** Source: libvirt, src/remote/remote_protocol.x (remote_auth_type). */
const AUTH_NONE = 0
const AUTH_SASL = 1

/** Saying who one is. */
export const loginHandlers: Handlers<Client> = {
  AUTH_LIST: (_, { context }) => ({ types: [context.access.login?.isOpen === true ? AUTH_SASL : AUTH_NONE] }),
  AUTH_SASL_INIT: (_, { context }) => ({ mechlist: loginOf(context).init() }),
  async AUTH_SASL_START({ mech, nil, data }, { context, connection }) {
    const answer = await loginOf(context).start(mech, nil === 0 ? data : undefined)
    if (answer.isComplete) connection.login()
    return onWire(answer)
  },
  async AUTH_SASL_STEP({ nil, data }, { context, connection }) {
    const answer = await loginOf(context).step(nil === 0 ? data : undefined)
    if (answer.isComplete) connection.login()
    return onWire(answer)
  },
}

/** Throws RpcError where nobody has to log in. */
function loginOf({ access }: Client): Login {
  if (access.login === undefined) throw loginRefusal()
  return access.login
}

const onWire = ({ isComplete, data }: SaslAnswer) => ({ complete: bit(isComplete), nil: 0, data })
