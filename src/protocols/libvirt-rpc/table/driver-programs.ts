/** Numbers of programs, and of their procedures. Source: libvirt, src/remote/qemu_protocol.x and lxc_protocol.x. */

const QEMU_PROGRAM = 0x20008087
const LXC_PROGRAM = 0x00068000
/** The one version that both have. */
const DRIVER_PROGRAM_VERSION = 1

const FUNCTIONS: ReadonlyMap<number, ReadonlyMap<number, string>> = new Map([
  [
    QEMU_PROGRAM,
    new Map([
      [1, 'virDomainQemuMonitorCommand'],
      [2, 'virDomainQemuAttach'],
      [3, 'virDomainQemuAgentCommand'],
      [4, 'virConnectDomainQemuMonitorEventRegister'],
      [5, 'virConnectDomainQemuMonitorEventDeregister'],
      [7, 'virDomainQemuMonitorCommandWithFiles'],
    ]),
  ],
  [LXC_PROGRAM, new Map([[1, 'virDomainLxcOpenNamespace']])],
])

/**
 * The function of a procedure of the programs that libvirtd has for single drivers beside its own, none of which is
 * spoken here; undefined for what is none of them.
 */
export function driverFunction(program: number, version: number, procedure: number): string | undefined {
  return version === DRIVER_PROGRAM_VERSION ? FUNCTIONS.get(program)?.get(procedure) : undefined
}
