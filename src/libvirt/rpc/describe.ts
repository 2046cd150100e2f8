import { RpcError } from '../../protocols/libvirt-rpc/index.ts'
import { LibvirtError } from '../errors.ts'

/** What a client is told of an error of the API; undefined for what is a fault of ours. */
export function describe(error: unknown): RpcError | undefined {
  if (!(error instanceof LibvirtError)) return undefined
  const { code, message, domain, level, detail } = error
  return new RpcError(code, message, { domain, level, str1: message, str2: detail }, { cause: error })
}
