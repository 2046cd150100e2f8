/**
 * Flags of /proc/cpuinfo by the draft's names. The draft took its names from the constants X86_FEATURE_* of Linux in
 * 2006, which differ here and there from what Linux prints. It has names for properties that Linux never printed
 * (K8, K7, P3, P4, FXSAVE_LEAK), which no CPU here has therefore.
 * Source: Xen Management API rev 0.2, §2.3.3, cpu_feature; Linux 2.6.17, include/asm-i386/cpufeature.h and
 * arch/i386/kernel/cpu/proc.c.
 */
const FEATURES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    fpu: 'FPU',
    vme: 'VME',
    de: 'DE',
    pse: 'PSE',
    tsc: 'TSC',
    msr: 'MSR',
    pae: 'PAE',
    mce: 'MCE',
    cx8: 'CX8',
    apic: 'APIC',
    sep: 'SEP',
    mtrr: 'MTRR',
    pge: 'PGE',
    mca: 'MCA',
    cmov: 'CMOV',
    pat: 'PAT',
    pse36: 'PSE36',
    pn: 'PN',
    clflush: 'CLFLSH',
    dts: 'DTES',
    acpi: 'ACPI',
    mmx: 'MMX',
    fxsr: 'FXSR',
    sse: 'XMM',
    sse2: 'XMM2',
    ss: 'SELFSNOOP',
    ht: 'HT',
    tm: 'ACC',
    ia64: 'IA64',
    syscall: 'SYSCALL',
    mp: 'MP',
    nx: 'NX',
    mmxext: 'MMXEXT',
    lm: 'LM',
    '3dnowext': '3DNOWEXT',
    '3dnow': '3DNOW',
    recovery: 'RECOVERY',
    longrun: 'LONGRUN',
    lrti: 'LRTI',
    cxmmx: 'CXMMX',
    k6_mtrr: 'K6_MTRR',
    cyrix_arr: 'CYRIX_ARR',
    centaur_mcr: 'CENTAUR_MCR',
    constant_tsc: 'CONSTANT_TSC',
    pni: 'XMM3',
    monitor: 'MWAIT',
    ds_cpl: 'DSCPL',
    est: 'EST',
    tm2: 'TM2',
    cid: 'CID',
    cx16: 'CX16',
    xtpr: 'XTPR',
    rng: 'XSTORE',
    rng_en: 'XSTORE_EN',
    ace: 'XCRYPT',
    ace_en: 'XCRYPT_EN',
    lahf_lm: 'LAHF_LM',
    cmp_legacy: 'CMP_LEGACY',
  }),
)

/** The draft's names of those flags that it has a name for, in the order of the flags. */
export function cpuFeatures(flags: readonly string[]): string[] {
  return [...new Set(flags.map(flag => FEATURES.get(flag)).filter(feature => feature !== undefined))]
}

/**
 * QEMU's names of the flags, where they are not those of /proc/cpuinfo with dashes. Features of CPUs that QEMU has no
 * model of (Transmeta, Cyrix, Centaur, the K6) have none.
 * Source: QEMU target/i386/cpu.c, feature_word_info.
 */
const QEMU_FLAGS: ReadonlyMap<string, string | undefined> = new Map(
  Object.entries({
    dts: 'ds',
    rng: 'xstore',
    rng_en: 'xstore-en',
    ace: 'xcrypt',
    ace_en: 'xcrypt-en',
    constant_tsc: 'invtsc',
    mp: undefined,
    recovery: undefined,
    longrun: undefined,
    lrti: undefined,
    cxmmx: undefined,
    k6_mtrr: undefined,
    cyrix_arr: undefined,
    centaur_mcr: undefined,
  }),
)

const BY_NAME: ReadonlyMap<string, string> = new Map([...FEATURES].map(([flag, feature]) => [feature, flag]))

/** QEMU's name of a feature that the draft names; undefined where there is none. */
export function flagOf(feature: string): string | undefined {
  const flag = BY_NAME.get(feature)
  if (flag === undefined) return undefined
  return QEMU_FLAGS.has(flag) ? QEMU_FLAGS.get(flag) : flag.replaceAll('_', '-')
}
