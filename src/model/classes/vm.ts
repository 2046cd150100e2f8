import { biosBootOption, bootType, cpuFeature, onCrashBehaviour, onNormalExit, vmPowerState } from '../enums.ts'
import { hostErrors, plugErrors } from '../errors.ts'
import { defineClass, internal, message, roIns, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

const MIB = 1024n * 1024n

const vm = [t.ref('VM'), 'The VM'] as const
const lifecycleErrors = [
  'VM_BAD_POWER_STATE',
  'VM_NO_HOST',
  'HOST_OFFLINE',
  'DRIVER_UNSUPPORTED',
  'DRIVER_FAILED',
  'TASK_CANCELLED',
] as const
const startErrors = [
  ...lifecycleErrors,
  'VM_IS_TEMPLATE',
  'HOST_DISABLED',
  'INVALID_VALUE',
  'VALUE_NOT_SUPPORTED',
  'VDI_IN_USE',
  'VM_INCOMPATIBLE_WITH_THIS_HOST',
  'HOST_NOT_ENOUGH_FREE_MEMORY',
  'PATH_NOT_ALLOWED',
] as const

/** What a change may answer that counts at once where the VM runs. */
const changeErrors = ['VM_BAD_POWER_STATE', 'VM_NO_HOST', 'PATH_NOT_ALLOWED', ...hostErrors] as const

/** What the serial port printed, as far as one answer carries. */
const serialOutput = t.struct('serial_output', { data: t.string, next: t.int })

/** A virtual machine. */
export const VM = defineClass({
  name: 'VM',
  doc: "a virtual machine (or 'guest')",
  source: 'Xen Management API rev 0.2, §2.6',
  objects: 'client',
  errors: {
    create: [...plugErrors, 'PERMISSION_DENIED'],
    delete: ['VM_BAD_POWER_STATE', 'HOST_OFFLINE', 'DRIVER_FAILED'],
  },
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    power_state: roRun(vmPowerState, 'Current power state of the machine'),
    'name/label': rw(t.string, 'a human-readable name'),
    'name/description': rw(t.string, 'a notes field containing human-readable description'),
    user_version: rw(t.int, 'a user version number for this machine'),
    is_a_template: rw(
      t.bool,
      'true if this is a template. Template VMs can never be started, they are used only for cloning other VMs',
      { errors: ['VM_BAD_POWER_STATE', 'HOST_OFFLINE'] },
    ),
    resident_on: roRun(t.ref('host'), 'the host the VM is currently resident on', { boundTo: 'host.resident_VMs' }),
    'memory/static_max': roIns(t.int, 'Statically-set (i.e. absolute) maximum', { unit: 'bytes', default: 256n * MIB }),
    'memory/dynamic_max': rw(t.int, 'Dynamic maximum; 0 is the static maximum', {
      unit: 'bytes',
      errors: changeErrors,
    }),
    'memory/actual': roRun(t.int, "Guest's actual usage", { unit: 'bytes', volatile: true }),
    'memory/dynamic_min': rw(t.int, 'Dynamic minimum; 0 is the static minimum', {
      unit: 'bytes',
      errors: changeErrors,
    }),
    'memory/static_min': roIns(t.int, 'Statically-set (i.e. absolute) minimum', { unit: 'bytes' }),
    'VCPUs/policy': rw(t.string, 'the name of the VCPU scheduling policy to be applied', { errors: changeErrors }),
    'VCPUs/params': rw(t.string, 'string-encoded parameters passed to selected VCPU policy', { errors: changeErrors }),
    'VCPUs/number': roRun(t.int, 'Current number of VCPUs', { onCreate: true, default: 1n }),
    'VCPUs/utilisation': roRun(t.map(t.int, t.float), "Utilisation for all of guest's current VCPUs", {
      volatile: true,
    }),
    'VCPUs/features/required': roIns(t.set(cpuFeature), 'CPU features the guest demands the host supports'),
    'VCPUs/features/can_use': roIns(t.set(cpuFeature), 'CPU features the guest can use if available'),
    'VCPUs/features/force_on': rw(t.set(cpuFeature), 'CPU features to expose to the guest above the bare minimum'),
    'VCPUs/features/force_off': rw(t.set(cpuFeature), 'CPU features to hide to the guest'),
    'actions/after_shutdown': rw(onNormalExit, 'action to take after the guest has shutdown itself', {
      errors: changeErrors,
    }),
    'actions/after_reboot': rw(onNormalExit, 'action to take after the guest has rebooted itself', {
      default: 'restart',
      errors: changeErrors,
    }),
    'actions/after_suspend': rw(onNormalExit, 'action to take after the guest has suspended itself', {
      errors: changeErrors,
    }),
    'actions/after_crash': rw(onCrashBehaviour, 'action to take if the guest crashes', { errors: changeErrors }),
    VIFs: rw(t.set(t.ref('VIF')), 'virtual network interfaces', { boundTo: 'VIF.VM', errors: plugErrors }),
    VBDs: rw(t.set(t.ref('VBD')), 'virtual block devices', { boundTo: 'VBD.VM', errors: plugErrors }),
    'TPM/instance': roIns(t.int, 'included for TPM support'),
    'TPM/backend': roIns(t.int, 'included for TPM support'),
    'bios/cdrom': rw(t.string, 'path for emulated CDROM e.g. /dev/cdrom or /foo.iso', { errors: changeErrors }),
    'bios/boot': rw(biosBootOption, 'default device to boot the guest from', { default: 'HD' }),
    'platform/std_VGA': rw(t.bool, 'emulate standard VGA instead of cirrus logic'),
    'platform/serial': rw(t.string, 'redirect serial port to pty'),
    'platform/localtime': rw(t.bool, 'set RTC to local time'),
    'platform/clock_offset': rw(t.bool, "timeshift applied to guest's clock"),
    'platform/enable_audio': rw(t.bool, 'emulate audio'),
    builder: rw(t.string, 'domain builder to use'),
    boot_method: rw(bootType, 'select how this machine should boot'),
    'kernel/kernel': rw(t.string, 'path to kernel e.g. /boot/vmlinuz'),
    'kernel/initrd': rw(t.string, 'path to the initrd e.g. /boot/initrd.img'),
    'kernel/args': rw(t.string, 'extra kernel command-line arguments'),
    'grub/cmdline': rw(t.string, 'grub command-line'),
    PCI_bus: roIns(t.string, 'PCI bus path for pass-through devices'),
    tools_version: roRun(t.map(t.string, t.string), 'versions of installed paravirtualised drivers', {
      volatile: true,
    }),
    affinity: rw(t.ref('host'), 'the host the VM is defined on and starts on; null lets the server choose', {
      extension: true,
      errors: changeErrors,
    }),
    other_config: otherConfig,
    crash_copies: internal(
      t.int,
      'How many crashed VMs this one is the copy of, one after the other (rename_restart).',
    ),
    domain: internal(t.string, "The host's own identifier of the VM; empty while no host knows it."),
    definition: internal(
      t.string,
      'The definition that its host was given or seen to have last, in JSON: what differs from it was changed by others.',
    ),
  },
  messages: {
    clone: message({
      doc: 'Clones the specified VM, making a new VM. Clone automatically exploits the capabilities of the underlying storage repository in which the VM’s disk images are stored (e.g. Copy on Write).',
      params: { vm: [t.ref('VM'), 'The VM to be cloned'], new_name: [t.string, 'The name of the cloned VM'] },
      result: t.ref('VM'),
      resultDoc: 'The ID of the newly created VM.',
      allowedIn: ['Halted'],
      errors: [...lifecycleErrors, 'VDI_IN_USE', 'OPERATION_NOT_ALLOWED'],
    }),
    start: message({
      doc: 'Start the specified VM.',
      params: { vm, start_paused: [t.bool, 'Instantiate VM in paused state if set to true.'] },
      result: t.void,
      allowedIn: ['Halted'],
      errors: startErrors,
    }),
    pause: message({
      doc: 'Pause the specified VM.',
      params: { vm },
      result: t.void,
      allowedIn: ['Running'],
      errors: lifecycleErrors,
    }),
    unpause: message({
      doc: 'Resume the specified VM.',
      params: { vm },
      result: t.void,
      allowedIn: ['Paused'],
      errors: lifecycleErrors,
    }),
    clean_shutdown: message({
      doc: 'Attempt to cleanly shutdown the specified VM, then do what actions/after_shutdown says. Answers once the guest has shut down; a guest that does not obey goes on running. While it is under way the VM is ShuttingDown.',
      params: { vm },
      result: t.void,
      allowedIn: ['Running'],
      errors: [...startErrors, 'VM_SHUTDOWN_TIMEOUT'],
    }),
    clean_reboot: message({
      doc: 'Attempt to cleanly shutdown the specified VM, then do what actions/after_reboot says.',
      params: { vm },
      result: t.void,
      allowedIn: ['Running'],
      errors: [...startErrors, 'VM_SHUTDOWN_TIMEOUT'],
    }),
    hard_shutdown: message({
      doc: 'Stop executing the specified VM without attempting a clean shutdown, discarding what a suspension saved; then do what actions/after_shutdown says.',
      params: { vm },
      result: t.void,
      allowedIn: ['Running', 'Paused', 'Suspended'],
      errors: startErrors,
    }),
    hard_reboot: message({
      doc: 'Stop executing the specified VM without attempting a clean shutdown, then do what actions/after_reboot says.',
      params: { vm },
      result: t.void,
      allowedIn: ['Running', 'Paused'],
      errors: lifecycleErrors,
    }),
    suspend: message({
      doc: 'Suspend the specified VM to disk.',
      params: {
        vm,
        live: [
          t.bool,
          'If set to true, perform a live hibernate; otherwise suspend the VM before commencing hibernate',
        ],
      },
      result: t.void,
      allowedIn: ['Running', 'Paused'],
      errors: lifecycleErrors,
    }),
    resume: message({
      doc: 'Awaken the specified VM and resume it.',
      params: { vm, start_paused: [t.bool, 'Unhibernate VM in paused state if set to true.'] },
      result: t.void,
      allowedIn: ['Suspended'],
      errors: startErrors,
    }),
    list: message({
      doc: 'Return a list of all the VMs known to the system',
      params: {},
      result: t.set(t.ref('VM')),
      resultDoc: 'A list of all the IDs of all the VMs',
      errors: [],
      immediate: true,
    }),
    install: message({
      doc: 'Clones a template and makes the clone startable. The draft names it (§1.4.3) and never defines it.',
      params: { template: [t.ref('VM'), 'The template'], new_name: [t.string, 'The name of the new VM'] },
      result: t.ref('VM'),
      resultDoc: 'The ID of the newly created VM.',
      allowedIn: ['Halted'],
      errors: [...lifecycleErrors, 'VDI_IN_USE', 'OPERATION_NOT_ALLOWED'],
      extension: true,
    }),
    read_serial: message({
      doc: 'Reads what the VM has printed on its first serial port. Bytes that XML cannot carry come as U+FFFD.',
      params: {
        vm,
        position: [t.int, 'Where to read on: 0, or `next` of the last answer. Grows for as long as the VM exists.'],
      },
      result: serialOutput,
      resultDoc: 'At most 64 KiB of output, empty at its end, and the position to read on from',
      errors: ['DRIVER_UNSUPPORTED', 'DRIVER_FAILED', 'HOST_OFFLINE', 'VM_NO_HOST', 'INVALID_VALUE'],
      extension: true,
      immediate: true,
    }),
    list_consoles: message({
      doc: 'Lists the consoles that the VM has now. A WebSocket at the path of one, with the session, shows it.',
      params: { vm },
      result: t.map(t.string, t.string),
      resultDoc: 'Kind (`serial`: raw bytes, `vnc`: the RFB protocol) to path on this server; empty unless the VM runs',
      errors: ['DRIVER_FAILED', 'HOST_OFFLINE', 'VM_NO_HOST'],
      extension: true,
      immediate: true,
    }),
  },
})
