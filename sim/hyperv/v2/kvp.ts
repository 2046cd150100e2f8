import type { Schema } from '../cim/model.ts'
import type { MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { changeHostItems, type KvpChange, type KvpItem, KvpSource } from '../host/kvp.ts'
import { instanceGiven, textGiven, textsGiven, vmGiven } from './given.ts'
import { managementJob } from './management.ts'
import { providerOf } from './rows.ts'
import { MANAGEMENT } from './services.ts'

/** JobType of changes of a machine's resources. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const MODIFY_RESOURCES = 31

/** Pairs that the host gives to guests, in either namespace. */
export function keyValuePairs(host: Host, schema: Schema): Provider {
  const changing = (change: KvpChange) => (call: MethodCall) => orRefusal(() => changePairs(host, schema, call, change))
  return providerOf(schema, {
    methods: {
      [`${MANAGEMENT.className}.AddKvpItems`]: changing('add'),
      [`${MANAGEMENT.className}.ModifyKvpItems`]: changing('modify'),
      [`${MANAGEMENT.className}.RemoveKvpItems`]: changing('remove'),
    },
  })
}

function changePairs(host: Host, schema: Schema, call: MethodCall, change: KvpChange): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'TargetSystem'))
  const items = textsGiven(call.input, 'DataItems').map(text => itemGiven(host, schema, text))
  return answer(host, {
    namespace: schema.namespace,
    usually: 'job',
    job: managementJob(host, vm, call, { type: MODIFY_RESOURCES, durationMs: 100 }),
    work: () => changeHostItems(host, vm, schema, change, items),
  })
}

function itemGiven(host: Host, schema: Schema, text: string): KvpItem {
  const { values } = instanceGiven(host, schema, text, 'Msvm_KvpExchangeDataItem')
  const textOf = (name: string): string => {
    const value = values.get(name)
    return typeof value === 'string' ? value : ''
  }
  return { name: textOf('Name'), data: textOf('Data'), source: Number(values.get('Source') ?? KvpSource.host) }
}
