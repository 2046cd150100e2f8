import type { TypedParam } from '../../protocols/libvirt-rpc/index.ts'
import type { TypedParameter } from '../domain-scheduling.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_INVALID_ARG, VIR_ERR_OVERFLOW } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import {
  VIR_TYPED_PARAM_BOOLEAN,
  VIR_TYPED_PARAM_INT,
  VIR_TYPED_PARAM_LLONG,
  VIR_TYPED_PARAM_STRING,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
} from '../flags/index.ts'
import type { StatsParameter } from '../statistics.ts'

/** A named value as the wire has it. */
export function rpcParam(param: StatsParameter): TypedParam {
  if (typeof param.value === 'string') return { field: param.field, value: { type: 'string', value: param.value } }
  const { field, type, value } = param
  switch (type) {
    case VIR_TYPED_PARAM_INT:
      return { field, value: { type: 'int', value: Number(value) } }
    case VIR_TYPED_PARAM_UINT:
      return { field, value: { type: 'uint', value: Number(value) } }
    case VIR_TYPED_PARAM_BOOLEAN:
      return { field, value: { type: 'boolean', value: value !== 0n } }
    case VIR_TYPED_PARAM_LLONG:
      return { field, value: { type: 'llong', value } }
    case VIR_TYPED_PARAM_ULLONG:
      return { field, value: { type: 'ullong', value } }
    default:
      throw new LibvirtError(VIR_ERR_INTERNAL_ERROR, `the parameter ${field} is of the type ${type}`)
  }
}

/** A named whole number or text of the wire. Throws `VIR_ERR_INVALID_ARG` for another value. */
export function numberOrTextParam(param: TypedParam): StatsParameter {
  const { field, value } = param
  return value.type === 'string' ? { field, type: VIR_TYPED_PARAM_STRING, value: value.value } : numberParam(param)
}

/** A named whole number of the wire. Throws `VIR_ERR_INVALID_ARG` for another value. */
export function numberParam({ field, value }: TypedParam): TypedParameter {
  switch (value.type) {
    case 'uint':
      return { field, type: VIR_TYPED_PARAM_UINT, value: BigInt(value.value) }
    case 'llong':
      return { field, type: VIR_TYPED_PARAM_LLONG, value: value.value }
    case 'ullong':
      return { field, type: VIR_TYPED_PARAM_ULLONG, value: value.value }
    default:
      throw new LibvirtError(VIR_ERR_INVALID_ARG, `invalid type '${value.type}' for parameter '${field}'`)
  }
}

/** An amount of the wire, of 64 bits, as the API takes it. Throws `VIR_ERR_OVERFLOW` for one that it cannot. */
export function amountOf(amount: bigint): number {
  if (amount <= Number.MAX_SAFE_INTEGER) return Number(amount)
  throw new LibvirtError(VIR_ERR_OVERFLOW, `input too large: ${amount}`)
}
