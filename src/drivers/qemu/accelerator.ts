import { accessSync, constants, existsSync, readFileSync } from 'node:fs'

/** `kvm` runs guests on the CPU itself, `tcg` translates their code: slow, but everywhere. */
export type Accelerator = 'kvm' | 'tcg'

/**
 * The accelerator to use on this machine. A /dev/kvm that opens proves nothing: there are hosts whose KVM has another
 * back end and hangs in every guest. So the CPU must have the extension and the kernel its module, too.
 */
export function detectAccelerator(): Accelerator {
  const hasExtension = /^flags\s*:.*\b(?:vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
  const hasModule = existsSync('/sys/module/kvm_intel') || existsSync('/sys/module/kvm_amd')
  return hasExtension && hasModule && isUsable('/dev/kvm') ? 'kvm' : 'tcg'
}

function isUsable(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return true
  } catch {
    // Absent or not ours to use: either way QEMU could not.
    return false
  }
}
