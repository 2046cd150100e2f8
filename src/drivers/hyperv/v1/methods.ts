import { defineMethod } from '../../../protocols/wsman/index.ts'

// Methods of root\virtualization, as far as they are used. Source: Microsoft Learn, the pages of the same names (v1).

const SERVICE = 'Msvm_VirtualSystemManagementService'

export const DEFINE_SYSTEM = defineMethod(SERVICE, 'DefineVirtualSystem', {
  input: { SystemSettingData: 'instance', ResourceSettingData: 'instance[]' },
  output: { DefinedSystem: 'reference', Job: 'reference' },
})

export const DESTROY_SYSTEM = defineMethod(SERVICE, 'DestroyVirtualSystem', {
  input: { ComputerSystem: 'reference' },
  output: { Job: 'reference' },
})

export const MODIFY_SYSTEM = defineMethod(SERVICE, 'ModifyVirtualSystem', {
  input: { ComputerSystem: 'reference', SystemSettingData: 'instance' },
  output: { Job: 'reference' },
})

export const MODIFY_RESOURCES = defineMethod(SERVICE, 'ModifyVirtualSystemResources', {
  input: { ComputerSystem: 'reference', ResourceSettingData: 'instance[]' },
  output: { Job: 'reference' },
})

export const ADD_RESOURCES = defineMethod(SERVICE, 'AddVirtualSystemResources', {
  input: { TargetSystem: 'reference', ResourceSettingData: 'instance[]' },
  output: { NewResources: 'reference[]', Job: 'reference' },
})

export const REMOVE_RESOURCES = defineMethod(SERVICE, 'RemoveVirtualSystemResources', {
  input: { TargetSystem: 'reference', ResourceSettingData: 'reference[]' },
  output: { Job: 'reference' },
})
