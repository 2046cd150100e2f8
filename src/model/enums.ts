/** The enumerations of the API, in the specification's order. Source: Xen Management API rev 0.2, §2.3.3. */

import { t } from './kernel/types.ts'

/** The power state of a VM. */
export const vmPowerState = t.enum('vm_power_state', {
  Halted: 'Halted',
  Paused: 'Paused',
  Running: 'Running',
  Suspended: 'Suspended',
  ShuttingDown: 'Shutting Down',
  Unknown: 'Some other unknown state',
})

/** What to do after a guest ended normally. */
export const onNormalExit = t.enum('on_normal_exit', {
  destroy: 'destroy the VM state',
  restart: 'restart the VM',
})

/** What to do after a guest crashed. */
export const onCrashBehaviour = t.enum('on_crash_behaviour', {
  destroy: 'destroy the VM state',
  coredump_and_destroy: 'record a coredump and then destroy the VM state',
  restart: 'restart the VM',
  coredump_and_restart: 'record a coredump and then restart the VM',
  preserve: 'leave the crashed VM as-is',
  rename_restart: 'rename the crashed VM and start a new copy',
})

/** The device that an emulated BIOS boots from. */
export const biosBootOption = t.enum('bios_boot_option', {
  floppy: 'boot from emulated floppy',
  HD: 'boot from emulated HD',
  CDROM: 'boot from emulated CDROM',
})

/** How a VM boots. */
export const bootType = t.enum('boot_type', {
  bios: 'boot an HVM guest using an emulated BIOS',
  grub: 'boot from inside the machine using grub',
  kernel_external: 'boot from an external kernel',
  kernel_internal: 'boot from a kernel inside the guest filesystem',
})

/** A feature of a CPU. */
export const cpuFeature = t.enum('cpu_feature', {
  FPU: 'Onboard FPU',
  VME: 'Virtual Mode Extensions',
  DE: 'Debugging Extensions',
  PSE: 'Page Size Extensions',
  TSC: 'Time Stamp Counter',
  MSR: 'Model-Specific Registers, RDMSR, WRMSR',
  PAE: 'Physical Address Extensions',
  MCE: 'Machine Check Architecture',
  CX8: 'CMPXCHG8 instruction',
  APIC: 'Onboard APIC',
  SEP: 'SYSENTER/SYSEXIT',
  MTRR: 'Memory Type Range Registers',
  PGE: 'Page Global Enable',
  MCA: 'Machine Check Architecture',
  CMOV: 'CMOV instruction (FCMOVCC and FCOMI too if FPU present)',
  PAT: 'Page Attribute Table',
  PSE36: '36-bit PSEs',
  PN: 'Processor serial number',
  CLFLSH: 'Supports the CLFLUSH instruction',
  DTES: 'Debug Trace Store',
  ACPI: 'ACPI via MSR',
  MMX: 'Multimedia Extensions',
  FXSR: 'FXSAVE and FXRSTOR instructions (fast save and restore)',
  XMM: 'Streaming SIMD Extensions',
  XMM2: 'Streaming SIMD Extensions-2',
  SELFSNOOP: 'CPU self snoop',
  HT: 'Hyper-Threading',
  ACC: 'Automatic clock control',
  IA64: 'IA-64 processor',
  SYSCALL: 'SYSCALL/SYSRET',
  MP: 'MP Capable.',
  NX: 'Execute Disable',
  MMXEXT: 'AMD MMX extensions',
  LM: 'Long Mode (x86-64)',
  '3DNOWEXT': 'AMD 3DNow! extensions',
  '3DNOW': '3DNow!',
  RECOVERY: 'CPU in recovery mode',
  LONGRUN: 'Longrun power control',
  LRTI: 'LongRun table interface',
  CXMMX: 'Cyrix MMX extensions',
  K6_MTRR: 'AMD K6 nonstandard MTRRs',
  CYRIX_ARR: 'Cyrix ARRs (= MTRRs)',
  CENTAUR_MCR: 'Centaur MCRs (= MTRRs)',
  K8: 'Opteron, Athlon64',
  K7: 'Athlon',
  P3: 'P3',
  P4: 'P4',
  CONSTANT_TSC: 'TSC ticks at a constant rate',
  FXSAVE_LEAK: 'FXSAVE leaks FOP/FIP/FOP',
  XMM3: 'Streaming SIMD Extensions-3',
  MWAIT: 'Monitor/Mwait support',
  DSCPL: 'CPL Qualified Debug Store',
  EST: 'Enhanced SpeedStep',
  TM2: 'Thermal Monitor 2',
  CID: 'Context ID',
  CX16: 'CMPXCHG16B',
  XTPR: 'Send Task Priority Messages',
  XSTORE: 'on-CPU RNG present (xstore insn)',
  XSTORE_EN: 'on-CPU RNG enabled',
  XCRYPT: 'on-CPU crypto (xcrypt insn)',
  XCRYPT_EN: 'on-CPU crypto enabled',
  LAHF_LM: 'LAHF/SAHF in long mode',
  CMP_LEGACY: 'If yes HyperThreading not valid',
})

/** What a disk image is for. */
export const vdiType = t.enum('vdi_type', {
  system: 'a disk that may be replaced on upgrade',
  user: 'a disk that is always preserved on upgrade',
  ephemeral: 'a disk that may be reformatted on upgrade',
})

/** How a disk is mounted. */
export const vbdMode = t.enum('vbd_mode', {
  RO: 'disk is mounted read-only',
  RW: 'disk is mounted read-write',
})

/** The style of a virtual device. */
export const driverType = t.enum('driver_type', {
  ioemu: 'use hardware emulation',
  paravirtualised: 'use paravirtualised driver',
})

/** All enumerations, by name. */
export const enums = {
  vm_power_state: vmPowerState,
  on_normal_exit: onNormalExit,
  on_crash_behaviour: onCrashBehaviour,
  bios_boot_option: biosBootOption,
  boot_type: bootType,
  cpu_feature: cpuFeature,
  vdi_type: vdiType,
  vbd_mode: vbdMode,
  driver_type: driverType,
} as const
