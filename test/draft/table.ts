/**
 * The draft, written down from its text and from nothing else: the declaration in src/model and the running server
 * are held against it. Where the text contradicts itself, the reading is named beside the line.
 * Source: Xen Management API, revision 0.2, 22 June 2006, chapter 2.
 */

/** A field: qualifier, path, type. */
export type DraftField = readonly [qualifier: 'RO_run' | 'RO_ins' | 'RW', path: string, type: string]

/** A message: result, name, and its parameters as type and name, the session left out. */
export type DraftMessage = readonly [result: string, name: string, ...params: readonly (readonly [string, string])[]]

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** §2.3.3: every enumeration, its values in order. */
export const ENUMS: Readonly<Record<string, readonly string[]>> = {
  vm_power_state: ['Halted', 'Paused', 'Running', 'Suspended', 'ShuttingDown', 'Unknown'],
  on_normal_exit: ['destroy', 'restart'],
  on_crash_behaviour: [
    'destroy',
    'coredump_and_destroy',
    'restart',
    'coredump_and_restart',
    'preserve',
    'rename_restart',
  ],
  bios_boot_option: ['floppy', 'HD', 'CDROM'],
  boot_type: ['bios', 'grub', 'kernel_external', 'kernel_internal'],
  cpu_feature: words(`
    FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 PN CLFLSH DTES ACPI MMX FXSR
    XMM XMM2 SELFSNOOP HT ACC IA64 SYSCALL MP NX MMXEXT LM 3DNOWEXT 3DNOW RECOVERY LONGRUN LRTI CXMMX
    K6_MTRR CYRIX_ARR CENTAUR_MCR K8 K7 P3 P4 CONSTANT_TSC FXSAVE_LEAK XMM3 MWAIT DSCPL EST TM2 CID CX16
    XTPR XSTORE XSTORE_EN XCRYPT XCRYPT_EN LAHF_LM CMP_LEGACY
  `),
  vdi_type: ['system', 'user', 'ephemeral'],
  vbd_mode: ['RO', 'RW'],
  driver_type: ['ioemu', 'paravirtualised'],
}

/** §2.4.1 to §2.14.1: the fields of every class, in the tables' order; the classes in the order of §2.1. */
export const FIELDS: Readonly<Record<string, readonly DraftField[]>> = {
  session: [],
  task: [],
  VM: [
    ['RO_run', 'uuid', 'string'],
    ['RO_run', 'power_state', 'vm_power_state'],
    ['RW', 'name/label', 'string'],
    ['RW', 'name/description', 'string'],
    ['RW', 'user_version', 'int'],
    ['RW', 'is_a_template', 'bool'],
    ['RO_run', 'resident_on', 'host ref'],
    ['RO_ins', 'memory/static_max', 'int'],
    ['RW', 'memory/dynamic_max', 'int'],
    ['RO_run', 'memory/actual', 'int'],
    ['RW', 'memory/dynamic_min', 'int'],
    ['RO_ins', 'memory/static_min', 'int'],
    ['RW', 'VCPUs/policy', 'string'],
    ['RW', 'VCPUs/params', 'string'],
    ['RO_run', 'VCPUs/number', 'int'],
    ['RO_run', 'VCPUs/utilisation', '(int -> float) Map'],
    ['RO_ins', 'VCPUs/features/required', '(cpu_feature) Set'],
    ['RO_ins', 'VCPUs/features/can_use', '(cpu_feature) Set'],
    ['RW', 'VCPUs/features/force_on', '(cpu_feature) Set'],
    ['RW', 'VCPUs/features/force_off', '(cpu_feature) Set'],
    ['RW', 'actions/after_shutdown', 'on_normal_exit'],
    ['RW', 'actions/after_reboot', 'on_normal_exit'],
    ['RW', 'actions/after_suspend', 'on_normal_exit'],
    ['RW', 'actions/after_crash', 'on_crash_behaviour'],
    ['RW', 'VIFs', '(VIF ref) Set'],
    ['RW', 'VBDs', '(VBD ref) Set'],
    ['RO_ins', 'TPM/instance', 'int'],
    ['RO_ins', 'TPM/backend', 'int'],
    ['RW', 'bios/cdrom', 'string'],
    ['RW', 'bios/boot', 'bios_boot_option'],
    ['RW', 'platform/std_VGA', 'bool'],
    ['RW', 'platform/serial', 'string'],
    ['RW', 'platform/localtime', 'bool'],
    ['RW', 'platform/clock_offset', 'bool'],
    ['RW', 'platform/enable_audio', 'bool'],
    ['RW', 'builder', 'string'],
    ['RW', 'boot_method', 'boot_type'],
    ['RW', 'kernel/kernel', 'string'],
    ['RW', 'kernel/initrd', 'string'],
    ['RW', 'kernel/args', 'string'],
    ['RW', 'grub/cmdline', 'string'],
    ['RO_ins', 'PCI_bus', 'string'],
    ['RO_run', 'tools_version', '(string -> string) Map'],
  ],
  host: [
    ['RO_run', 'uuid', 'string'],
    ['RW', 'name/label', 'string'],
    ['RW', 'name/description', 'string'],
    ['RO_run', 'software_version', '(string -> string) Map'],
    ['RO_run', 'resident_VMs', '(VM ref) Set'],
    ['RO_run', 'host_CPUs', '(host_cpu ref) Set'],
  ],
  host_cpu: [
    ['RO_run', 'uuid', 'string'],
    ['RO_ins', 'host', 'host ref'],
    ['RO_ins', 'number', 'int'],
    ['RO_ins', 'features', '(cpu_feature) Set'],
    ['RO_run', 'utilisation', 'float'],
  ],
  network: [
    ['RO_run', 'uuid', 'string'],
    ['RW', 'name/label', 'string'],
    ['RW', 'name/description', 'string'],
    ['RW', 'VIFs', '(VIF ref) Set'],
    ['RW', 'NIC', 'string'],
    ['RW', 'VLAN', 'string'],
    ['RW', 'default_gateway', 'string'],
    ['RW', 'default_netmask', 'string'],
  ],
  VIF: [
    ['RO_run', 'uuid', 'string'],
    ['RW', 'name', 'string'],
    ['RW', 'type', 'driver_type'],
    ['RW', 'device', 'string'],
    ['RW', 'network', 'network ref'],
    ['RW', 'VM', 'VM ref'],
    ['RW', 'MAC', 'string'],
    ['RW', 'MTU', 'int'],
    ['RO_run', 'network_read_kbs', 'float'],
    ['RO_run', 'network_write_kbs', 'float'],
    ['RO_run', 'IO_bandwidth/incoming_kbs', 'float'],
    ['RO_run', 'IO_bandwidth/outgoing_kbs', 'float'],
  ],
  SR: [
    ['RO_run', 'uuid', 'string'],
    ['RW', 'name/label', 'string'],
    ['RW', 'name/description', 'string'],
    ['RW', 'VDIs', '(VDI ref) Set'],
    ['RO_run', 'virtual_allocation', 'int'],
    ['RO_run', 'physical_utilisation', 'int'],
    ['RO_ins', 'physical_size', 'int'],
    ['RO_ins', 'type', 'string'],
    ['RO_ins', 'location', 'string'],
  ],
  VDI: [
    ['RO_run', 'uuid', 'string'],
    ['RW', 'name/label', 'string'],
    ['RW', 'name/description', 'string'],
    ['RW', 'SR', 'SR ref'],
    ['RW', 'VBDs', '(VBD ref) Set'],
    ['RW', 'virtual_size', 'int'],
    ['RO_run', 'physical_utilisation', 'int'],
    ['RO_ins', 'sector_size', 'int'],
    ['RO_ins', 'type', 'vdi_type'], // Printed as `vdi.type`; §2.3.3 has `vdi_type`.
    ['RO_ins', 'parent', 'VDI ref'],
    ['RO_ins', 'children', '(VDI ref) Set'],
    ['RW', 'sharable', 'bool'],
    ['RW', 'read_only', 'bool'],
  ],
  VBD: [
    ['RO_run', 'uuid', 'string'],
    ['RW', 'VM', 'VM ref'],
    ['RW', 'VDI', 'VDI ref'],
    ['RW', 'device', 'string'],
    ['RW', 'mode', 'vbd_mode'],
    ['RW', 'driver', 'driver_type'],
    ['RO_run', 'IO_bandwidth/incoming_kbs', 'float'],
    ['RO_run', 'IO_bandwidth/outgoing_kbs', 'float'],
  ],
  user: [
    ['RO_run', 'uuid', 'string'],
    ['RO_ins', 'short_name', 'string'],
    ['RW', 'fullname', 'string'],
  ],
}

/** §2.4.2 to §2.14.2: the additional RPCs of every class. */
export const MESSAGES: Readonly<Record<string, readonly DraftMessage[]>> = {
  session: [
    ['session ref', 'login_with_password', ['string', 'uname'], ['string', 'pwd']],
    ['void', 'logout'],
  ],
  task: [
    // The draft says `XML`, and describes it as an "XML string".
    ['string', 'get_status', ['task ref', 'task']],
    ['(task ref) Set', 'get_all_tasks'],
  ],
  VM: [
    ['VM ref', 'clone', ['VM ref', 'vm'], ['string', 'new_name']],
    ['void', 'start', ['VM ref', 'vm'], ['bool', 'start_paused']],
    ['void', 'pause', ['VM ref', 'vm']],
    ['void', 'unpause', ['VM ref', 'vm']],
    ['void', 'clean_shutdown', ['VM ref', 'vm']],
    ['void', 'clean_reboot', ['VM ref', 'vm']],
    ['void', 'hard_shutdown', ['VM ref', 'vm']],
    ['void', 'hard_reboot', ['VM ref', 'vm']],
    ['void', 'suspend', ['VM ref', 'vm'], ['bool', 'live']],
    ['void', 'resume', ['VM ref', 'vm'], ['bool', 'start_paused']],
    ['(VM ref) Set', 'list'],
  ],
  host: [
    ['void', 'disable', ['host ref', 'host']],
    ['void', 'enable', ['host ref', 'host']],
    ['void', 'shutdown', ['host ref', 'host']],
    ['void', 'reboot', ['host ref', 'host']],
    ['(host ref) Set', 'list'],
  ],
  host_cpu: [],
  network: [['(network ref) Set', 'list']],
  VIF: [],
  SR: [
    ['SR ref', 'clone', ['SR ref', 'sr'], ['string', 'loc'], ['string', 'name']],
    ['(SR ref) Set', 'list'],
  ],
  VDI: [['VDI ref', 'snapshot', ['VDI ref', 'vdi']]],
  VBD: [],
  user: [],
}

/** §2.2: the fields that are bound together, in the table's order. */
export const BINDINGS: readonly (readonly [string, string])[] = [
  ['VDI.VBDs', 'VBD.VDI'],
  ['VDI.parent', 'VDI.children'],
  ['VBD.VM', 'VM.VBDs'],
  ['VIF.VM', 'VM.VIFs'],
  ['VIF.network', 'network.VIFs'],
  ['SR.VDIs', 'VDI.SR'],
  ['host.resident_VMs', 'VM.resident_on'],
  ['host.host_CPUs', 'host_cpu.host'],
]

/**
 * The power states in which the text of §2.6.2 allows a message, or, where it says nothing, the life of a VM that
 * Figure 1.1 draws does.
 */
export const POWER_STATES: Readonly<Record<string, readonly string[]>> = {
  clone: ['Halted'],
  start: ['Halted'],
  pause: ['Running'],
  unpause: ['Paused'],
  clean_shutdown: ['Running'],
  clean_reboot: ['Running'],
  hard_shutdown: ['Running', 'Paused', 'Suspended'],
  hard_reboot: ['Running', 'Paused'],
  suspend: ['Running', 'Paused'],
  resume: ['Suspended'],
}
