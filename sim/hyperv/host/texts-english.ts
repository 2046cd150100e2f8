import type { JobClass } from './jobs.ts'
import type { JobTexts, Texts } from './texts.ts'

/** What a host says in English. */
export const ENGLISH: Texts = {
  virtualMachine: 'Virtual Machine',
  hostingSystem: 'Hosting Computer System',
  virtualMachineDescription: 'Microsoft Virtual Machine',
  hostingSystemDescription: 'Microsoft Hosting Computer System',
  settings: 'Virtual Machine Settings',
  settingsDescription: 'Active settings for the virtual machine.',
  statuses: {
    2: 'Operating normally',
    3: 'Degraded',
    5: 'Predictive failure',
    10: 'Stopped',
    11: 'In service',
    12: 'No contact',
    13: 'Lost communication',
    15: 'Dormant',
    32768: 'Creating checkpoint',
    32769: 'Applying checkpoint',
    32770: 'Deleting checkpoint',
    32771: 'Waiting to start',
    32772: 'Merging disks',
    32773: 'Exporting virtual machine',
    32774: 'Migrating virtual machine',
  },
  serviceRuns: 'The service is running normally.',
  jobRuns: 'The job is running.',
  jobCompleted: 'The job has completed.',
  jobCompletedSuccessfully: 'The job has completed successfully.',
  jobFailed: 'The job has failed.',
  jobTerminated: 'The job was terminated.',
  jobOf: jobsInEnglish,
  logicalProcessor: number => `Logical Processor ${number}`,
  snapshotName(vm, at) {
    const date = new Date(at)
    const two = (number: number): string => String(number).padStart(2, '0')
    const day = `${date.getUTCFullYear()}/${date.getUTCMonth() + 1}/${date.getUTCDate()}`
    return `${vm} - (${day} - ${date.getUTCHours()}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())})`
  },
  notEnoughMemory: (vm, id, ramMb) =>
    [
      `'${vm}' failed to start. (Virtual machine ID ${id})`,
      `Not enough memory in the system to start the virtual machine ${vm} with ram size ${ramMb} megabytes.`,
      `'${vm}' could not initialize memory: Not enough memory resources are available to complete this operation. ` +
        `(0x8007000E). (Virtual machine ID ${id})`,
    ].join('\n'),
  invalidState: (vm, id) =>
    `'${vm}' failed to change state. The operation cannot be performed while the virtual machine is in its current ` +
    `state. (Virtual machine ID ${id})`,
  cannotModify: (vm, id, property) =>
    `'${vm}' failed to modify settings. (Virtual machine ID ${id})\nThe value of the '${property}' property cannot be changed.`,
  cannotModifyNow: (vm, id, property) =>
    `'${vm}' failed to modify settings. (Virtual machine ID ${id})\nThe value of the '${property}' property cannot be ` +
    `changed while the virtual machine is in its current state.`,
  invalidValue: property => `Invalid value for the property '${property}'. (0x80070057)`,
  kvpFailed: (vm, id, item) =>
    `Failed to set value of the item '${item}' Data Exchange integration service item for virtual machine '${vm}': ` +
    `The parameter is incorrect. (0x80070057) (Virtual machine ID ${id})`,
}

function jobsInEnglish(className: JobClass, type: number): JobTexts {
  const text = JOBS[className][type] ?? 'Job'
  return { name: text, description: text }
}

/** Source: the ValueMaps of JobType and NetworkJobType in the MOF, put as what is being done. */
const JOBS: Readonly<Record<JobClass, Readonly<Record<number, string>>>> = {
  Msvm_ConcreteJob: {
    1: 'Defining Virtual Machine',
    2: 'Modifying Virtual Machine',
    3: 'Destroying Virtual Machine',
    4: 'Modifying Management Service Settings',
    10: 'Initializing Virtual Machine',
    11: 'Waiting to Start Virtual Machine',
    12: 'Starting Virtual Machine',
    13: 'Powering Off Virtual Machine',
    14: 'Saving Virtual Machine',
    15: 'Restoring Virtual Machine',
    16: 'Shutting Down Virtual Machine',
    26: 'Pausing Virtual Machine',
    27: 'Resuming Virtual Machine',
    28: 'Resetting Virtual Machine',
    29: 'Rebooting Virtual Machine',
    30: 'Adding Virtual Machine Resources',
    31: 'Modifying Virtual Machine Resources',
    32: 'Removing Virtual Machine Resources',
    50: 'Merging Disks',
    51: 'Creating VSS Snapshot Inside Virtual Machine',
    60: 'Getting Import Setting Data',
    61: 'Importing Virtual Machine',
    62: 'Exporting Virtual Machine',
    70: 'Creating Virtual Machine Checkpoint',
    71: 'Applying Virtual Machine Checkpoint',
    72: 'Deleting Virtual Machine Checkpoint',
    73: 'Clearing Virtual Machine Checkpoint State',
    80: 'Adding Resources to Resource Pool',
    81: 'Removing Resources from Resource Pool',
    130: 'Defining Ethernet Switch',
    131: 'Modifying Ethernet Switch Settings',
    132: 'Destroying Ethernet Switch',
    133: 'Adding Ethernet Switch Resources',
    134: 'Modifying Ethernet Switch Resources',
    135: 'Removing Ethernet Switch Resources',
    140: 'Validating Planned Virtual Machine',
    141: 'Realizing Virtual Machine',
    150: 'Creating a Resource Pool',
    153: 'Deleting a Resource Pool',
    180: 'Guest Service Interface',
  },
  Msvm_StorageJob: {
    1: 'Creating Virtual Hard Disk',
    2: 'Creating Virtual Floppy Disk',
    3: 'Compacting Virtual Hard Disk',
    4: 'Expanding Virtual Hard Disk',
    5: 'Merging Virtual Hard Disk',
    6: 'Converting Virtual Hard Disk',
    7: 'Mounting Virtual Hard Disk',
    8: 'Getting Virtual Hard Disk Information',
    9: 'Validating Virtual Hard Disk',
  },
  Msvm_MigrationJob: {
    300: 'Creating Remote Virtual Machine',
    305: 'Moving Virtual Machine',
    306: 'Moving Virtual Machine and Storage',
    307: 'Moving Storage',
  },
  Msvm_NetworkJob: { 1: 'Setting Up Virtual Switch', 2: 'Tearing Down Virtual Switch' },
}
