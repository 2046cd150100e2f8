import type { Embedded } from '../cim/embedded.ts'
import type { CimValue, Schema } from '../cim/model.ts'
import type { MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, answerNow, orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { findOwned, type Owned } from '../host/resources-owner.ts'
import { generationOf, nameOfVm } from '../host/settings.ts'
import { instanceGiven, textGiven } from './given.ts'
import { managementJob } from './management.ts'
import { providerOf, V2 } from './rows.ts'
import { type Service, serviceProvider } from './services.ts'

const SECURITY: Service = {
  className: 'Msvm_SecurityService',
  name: 'vmms-security',
  title: 'Security Service',
  description: 'Service for managing the security of virtual systems',
}

const SETTINGS = 'Msvm_SecuritySettingData'
const MODIFY_MACHINE = 2
const PROTECTOR_MAX = 1 << 20

/** What protects machines: a virtual TPM, and the key protector that it needs. */
export function security(host: Host, schema: Schema): readonly Provider[] {
  const given = ({ input }: MethodCall): Embedded =>
    instanceGiven(host, schema, textGiven(input, 'SecuritySettingData'), SETTINGS)
  const methods = providerOf(schema, {
    methods: {
      [`${SECURITY.className}.ModifySecuritySettings`]: call => orRefusal(() => modify(host, given(call), call)),
      [`${SECURITY.className}.SetKeyProtector`]: call =>
        answerNow(() => setProtector(host, ownedBy(host, given(call)).owner.vm, call.input.get('KeyProtector'))),
      [`${SECURITY.className}.GetKeyProtector`]: call =>
        answerNow(() => {
          const { keyProtector = NO_PROTECTOR } = ownedBy(host, given(call)).owner.vm
          return { KeyProtector: [...Buffer.from(keyProtector, 'base64')] }
        }),
    },
  })
  return [serviceProvider(host, schema, SECURITY), methods]
}

/** Four bytes, of which the first is a format: what a machine without a key protector has. */
const NO_PROTECTOR = Buffer.from([0, 0, 0, 4]).toString('base64')

function ownedBy(host: Host, { values }: Embedded): Owned {
  const id = values.get('InstanceID')
  const owned = typeof id === 'string' ? findOwned(host, id) : undefined
  if (owned?.settings.className === SETTINGS && owned.owner.snapshot === undefined) return owned
  throw new OperationError(Return.invalidParameter, 'There are no such security settings.', { isImmediate: true })
}

function setProtector(host: Host, vm: Vm, value: CimValue | undefined): void {
  const bytes = Array.isArray(value) ? value.filter(item => typeof item === 'number') : []
  if (bytes.length === 0 || bytes.length > PROTECTOR_MAX) {
    throw new OperationError(Return.invalidParameter, 'No key protector was given.')
  }
  vm.keyProtector = Buffer.from(bytes).toString('base64')
  host.touch()
}

function modify(host: Host, given: Embedded, call: MethodCall): Promise<MethodResult> {
  const { owner, settings } = ownedBy(host, given)
  const { vm } = owner
  return answer(host, {
    namespace: V2,
    usually: 'now',
    job: managementJob(host, vm, call, { type: MODIFY_MACHINE, durationMs: 200 }),
    work() {
      const after = changed(host, vm, settings, given)
      const { configuration } = vm
      configuration.resources = configuration.resources.map(one => (one.className === SETTINGS ? after : one))
      vm.configuredAt = host.clock.now()
      host.touch()
    },
  })
}

/**
 * Source: on Server 2025 a virtual TPM was refused by a job without a key protector, and taken with one; a machine of the
 * first generation was given a key storage drive.
 */
function changed(host: Host, vm: Vm, { className, values }: Settings, given: Embedded): Settings {
  const changes = [...given.values].filter(
    ([name, value]) => value !== null && values[name] !== value && name !== 'InstanceID',
  )
  const wantsTpm = changes.some(([name, value]) => name === 'TpmEnabled' && value === true)
  const isForIt = (name: string): boolean => generationOf(vm.configuration) === 2 || name === 'KsdEnabled'
  for (const [name] of changes) {
    if (vm.power === 'off' && isForIt(name)) continue
    const text = isForIt(name) ? 'cannotModifyNow' : 'cannotModify'
    throw new OperationError(Return.invalidState, host.texts[text](nameOfVm(vm), vm.id, name))
  }
  if (wantsTpm && vm.keyProtector === undefined) {
    throw new OperationError(Return.failed, host.texts.cannotModify(nameOfVm(vm), vm.id, 'TpmEnabled'))
  }
  return { className, values: { ...values, ...Object.fromEntries(changes) } }
}
