import { defineMethod } from '../../../protocols/wsman/index.ts'

// Methods of root\virtualization\v2, as far as they are used. Source: Microsoft Learn, the pages of the same names (V2);
// parameters as the MOF of real hosts has them.

const SERVICE = 'Msvm_VirtualSystemManagementService'

export const DEFINE_SYSTEM = defineMethod(SERVICE, 'DefineSystem', {
  input: { SystemSettings: 'instance', ResourceSettings: 'instance[]' },
  output: { ResultingSystem: 'reference', Job: 'reference' },
})

export const DESTROY_SYSTEM = defineMethod(SERVICE, 'DestroySystem', {
  input: { AffectedSystem: 'reference' },
  output: { Job: 'reference' },
})

export const MODIFY_SYSTEM = defineMethod(SERVICE, 'ModifySystemSettings', {
  input: { SystemSettings: 'instance' },
  output: { Job: 'reference' },
})

export const MODIFY_RESOURCES = defineMethod(SERVICE, 'ModifyResourceSettings', {
  input: { ResourceSettings: 'instance[]' },
  output: { Job: 'reference' },
})

/** From build 9600 on. */
export const INJECT_NMI = defineMethod('Msvm_ComputerSystem', 'InjectNonMaskableInterrupt', {
  input: {},
  output: { Job: 'reference' },
})
