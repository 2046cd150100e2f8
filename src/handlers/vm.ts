import { implement } from '../engine/context.ts'
import { unfinishedBytes } from '../engine/text.ts'
import { consolePaths } from '../engine/terminals.ts'
import { fail } from '../model/errors.ts'
import { VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { changeVbd, changeVif, relate } from './plug.ts'
import { cloneVm } from './vm-clone.ts'
import { checkVm, createVm, deleteVm, moveVm, OWNED_THROUGH } from './vm-definition.ts'
import { setAction, setMedium, setMemory, setScheduling, setTemplate } from './vm-fields.ts'
import {
  cleanReboot,
  cleanShutdown,
  hardReboot,
  hardShutdown,
  pause,
  resume,
  start,
  suspend,
  unpause,
} from './vm-life.ts'
import { unsupported } from './vm-record.ts'

const SERIAL_BYTES_MAX = 65_536

/** VMs. `allowedIn` of the declaration has been checked before a handler runs. */
export const vmHandlers = implement(
  VM,
  {
    list: ({ store }) => store.all(VM),
    start: (context, { vm, start_paused }) => done(start(context, vm, start_paused)),
    pause: (context, { vm }) => pause(context, vm),
    unpause: (context, { vm }) => unpause(context, vm),
    clean_shutdown: (context, { vm }) => done(cleanShutdown(context, vm)),
    clean_reboot: (context, { vm }) => done(cleanReboot(context, vm)),
    hard_shutdown: (context, { vm }) => done(hardShutdown(context, vm)),
    hard_reboot: (context, { vm }) => done(hardReboot(context, vm)),
    suspend: (context, { vm, live }) => done(suspend(context, vm, live)),
    resume: (context, { vm, start_paused }) => done(resume(context, vm, start_paused)),
    clone: (context, { vm, new_name }) => cloneVm(context, vm, new_name),

    install(context, { template, new_name }) {
      if (context.store.get(VM, template)?.is_a_template !== true) {
        throw fail('OPERATION_NOT_ALLOWED', { reason: `VM ${template} is not a template; VM.clone copies a VM` })
      }
      return cloneVm(context, template, new_name)
    },

    list_consoles: ({ hosts }, { vm }) => consolePaths(hosts, vm),

    async read_serial(context, { vm, position }) {
      const { driver, id } = context.hosts.placementOf(vm)
      if (driver.consoles === undefined) return unsupported(context, vm, 'VM.read_serial')
      if (position < 0n || position > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw fail('INVALID_VALUE', { field: 'position', value: String(position) })
      }
      const { data, next } = await driver.consoles.readSerial(id, Number(position), SERIAL_BYTES_MAX)
      // A character that is not whole yet is left for the next answer.
      const rest = unfinishedBytes(data)
      return { data: Buffer.from(data.subarray(0, data.length - rest)).toString('utf8'), next: BigInt(next - rest) }
    },
  },
  {
    check: checkVm,
    create: (context, vm) => createVm(context, vm),
    delete: deleteVm,
    set: {
      affinity: moveVm,
      is_a_template: setTemplate,
      memory_dynamic_max: (context, vm, value) => setMemory(context, vm, { memory_dynamic_max: value }),
      memory_dynamic_min: (context, vm, value) => setMemory(context, vm, { memory_dynamic_min: value }),
      VCPUs_policy: (context, vm, value) => setScheduling(context, vm, { VCPUs_policy: value }),
      VCPUs_params: (context, vm, value) => setScheduling(context, vm, { VCPUs_params: value }),
      actions_after_shutdown: (context, vm, value) => setAction(context, vm, { actions_after_shutdown: value }),
      actions_after_reboot: (context, vm, value) => setAction(context, vm, { actions_after_reboot: value }),
      actions_after_suspend: (context, vm, value) => setAction(context, vm, { actions_after_suspend: value }),
      actions_after_crash: (context, vm, value) => setAction(context, vm, { actions_after_crash: value }),
      bios_cdrom: setMedium,
      VBDs: (context, vm, vbds) =>
        relate(context.store.get(VM, vm)?.VBDs ?? [], vbds, (vbd, isIn) =>
          changeVbd(context, vbd, { VM: isIn ? vm : NULL_REF }),
        ),
      VIFs: (context, vm, vifs) =>
        relate(context.store.get(VM, vm)?.VIFs ?? [], vifs, (vif, isIn) =>
          changeVif(context, vif, { VM: isIn ? vm : NULL_REF }),
        ),
    },
    // Their hooks wait for this VM together with those that the devices are in now.
    lockedApart: ['VBDs', 'VIFs'],
    ownedThrough: OWNED_THROUGH,
  },
)

async function done(work: Promise<unknown>): Promise<null> {
  await work
  return null
}
