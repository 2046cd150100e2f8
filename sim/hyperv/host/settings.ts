import type { CimValue } from '../cim/model.ts'
import type { Configuration, Settings, Vm } from './model.ts'

/** The value as a string; undefined where it is NULL or something else. */
export function textIn(settings: Settings | undefined, name: string): string | undefined {
  const value = settings?.values[name]
  return typeof value === 'string' ? value : undefined
}

/** The value as a number, also of a 64-bit property; undefined where it is NULL or something else. */
export function numberIn(settings: Settings | undefined, name: string): number | undefined {
  const value = settings?.values[name]
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined
}

/** Whether the value is true. */
export function isTrueIn(settings: Settings | undefined, name: string): boolean {
  return settings?.values[name] === true
}

/** The strings of an array; none where it is NULL or something else. */
export function textsIn(settings: Settings | undefined, name: string): string[] {
  const value = settings?.values[name]
  return isList(value) ? value.filter(item => typeof item === 'string') : []
}

/** Whether a value is an array. */
export function isList(value: CimValue | undefined): value is Extract<CimValue, readonly unknown[]> {
  return Array.isArray(value)
}

/** The settings of a class in a configuration, such as the one Msvm_ProcessorSettingData. */
export function resourceOf(configuration: Configuration, className: string): Settings | undefined {
  return configuration.resources.find(settings => settings.className === className)
}

/** ElementName of a machine. */
export function nameOfVm(vm: Vm): string {
  return textIn(vm.configuration.system, 'ElementName') ?? ''
}

/** How many virtual processors a configuration asks for. */
export function processorsOf(configuration: Configuration): number {
  return numberIn(resourceOf(configuration, 'Msvm_ProcessorSettingData'), 'VirtualQuantity') ?? 1
}

/** What a configuration says of memory, in MB. */
export interface MemorySettings {
  readonly isDynamic: boolean
  /** With which the machine starts; all there is when it is not dynamic. */
  readonly startupMb: number
  readonly minimumMb: number
  readonly maximumMb: number
  /** TargetMemoryBuffer, in percent of the demand. */
  readonly bufferPercent: number
}

export function memoryOf(configuration: Configuration): MemorySettings {
  const settings = resourceOf(configuration, 'Msvm_MemorySettingData')
  const startupMb = numberIn(settings, 'VirtualQuantity') ?? 0
  return {
    isDynamic: isTrueIn(settings, 'DynamicMemoryEnabled'),
    startupMb,
    minimumMb: numberIn(settings, 'Reservation') ?? startupMb,
    maximumMb: numberIn(settings, 'Limit') ?? startupMb,
    bufferPercent: numberIn(settings, 'TargetMemoryBuffer') ?? 20,
  }
}

/** Which generation a configuration is of: 1 has a BIOS and IDE, 2 has UEFI. */
export function generationOf(configuration: Configuration): 1 | 2 {
  return textIn(configuration.system, 'VirtualSystemSubType') === SUB_TYPE[2] ? 2 : 1
}

/** Msvm_VirtualSystemSettingData.VirtualSystemSubType. */
export const SUB_TYPE = { 1: 'Microsoft:Hyper-V:SubType:1', 2: 'Microsoft:Hyper-V:SubType:2' } as const
