import type { Instance, Schema } from '../cim/model.ts'
import { textOf } from '../cim/instance.ts'
import { pathOf } from '../cim/path.ts'
import type { MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answerNow, orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { MountedImage } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { IMAGE_SERVICE, StorageJobType, workOnImages } from '../storage/image-jobs.ts'
import { mountedAt, mountImage, unmountImage } from '../storage/mounts.ts'
import { extensionOf } from '../storage/windows-path.ts'
import { textGiven } from './given.ts'
import { providerOf, rowOf, V2 } from './rows.ts'

const CLASS = 'Msvm_MountedStorageImage'

/** Source: the ValueMaps of the MOF. */
const Access = { readOnly: 1, readWrite: 2 } as const
const ImageKind = { virtualHardDisk: 0, iso: 1 } as const
/** CriterionType of FindMountedStorageImageInstance: that of paths is the one that was seen. */
const Criterion = { path: 0 } as const

/** The images that the host itself has mounted, and what mounts them. */
export function mountedImages(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      [CLASS]: {
        *list() {
          for (const image of host.state.mounted) yield rowFor(schema, image)
        },
      },
    },
    methods: {
      [`${IMAGE_SERVICE.className}.AttachVirtualHardDisk`]: call => orRefusal(() => attach(host, call)),
      [`${IMAGE_SERVICE.className}.FindMountedStorageImageInstance`]: call => answerNow(() => find(host, schema, call)),
      [`${CLASS}.DetachVirtualHardDisk`]: ({ self }) => answerNow(() => detach(host, self)),
    },
  })
}

/** The adapter that such images are on has one bus, and each image a target of its own. */
function keysOf({ number }: MountedImage): Readonly<Record<'Lun' | 'PathId' | 'PortNumber' | 'TargetId', number>> {
  return { Lun: 0, PathId: 0, PortNumber: 2, TargetId: number }
}

function rowFor(schema: Schema, image: MountedImage): Instance {
  const isIso = extensionOf(image.path) === 'iso'
  return rowOf(schema, CLASS, {
    ...keysOf(image),
    Access: image.isReadOnly === true ? Access.readOnly : Access.readWrite,
    Caption: 'Mounted Storage Image',
    Description: 'Mounted Storage Image',
    ElementName: image.path.replace(/^.*\\/s, ''),
    HealthState: 5,
    Name: image.path,
    OperationalStatus: [2],
    PnpDevicePath: devicePath(image, isIso),
    Status: 'OK',
    Type: isIso ? ImageKind.iso : ImageKind.virtualHardDisk,
  })
}

/** What the host's own system knows the disk by. Source: the form of interfaces of disks on the virtual SCSI adapter. */
function devicePath({ number }: MountedImage, isIso: boolean): string {
  const device = isIso ? 'cdrom&ven_msft&prod_virtual_dvd-rom' : 'disk&ven_msft&prod_virtual_disk'
  const kind = isIso ? '53f5630d-b6bf-11d0-94f2-00a0c91efb8b' : '53f56307-b6bf-11d0-94f2-00a0c91efb8b'
  return `\\\\?\\scsi#${device}#2&1f4adffe&0&${String(number + 1).padStart(6, '0')}#{${kind}}`
}

function attach(host: Host, { input, caller }: MethodCall): Promise<MethodResult> {
  const path = textGiven(input, 'Path') ?? ''
  return workOnImages(
    host,
    { namespace: V2, owner: caller.user },
    {
      type: StorageJobType.mount,
      usually: 'job',
      doing: 'mount',
      target: path,
      work: async () => {
        await mountImage(host, path, input.get('ReadOnly') === true)
      },
    },
  )
}

function find(host: Host, schema: Schema, { input }: MethodCall) {
  const image =
    Number(input.get('CriterionType')) === Criterion.path
      ? mountedAt(host, textGiven(input, 'SelectionCriterion') ?? '')
      : undefined
  if (image === undefined)
    throw new OperationError(Return.invalidParameter, host.texts.invalidValue('SelectionCriterion'))
  return { Image: pathOf(rowFor(schema, image), host.state.name, V2) }
}

function detach(host: Host, self: Instance): void {
  const image = host.state.mounted.find(({ number }) => String(number) === textOf(self, 'TargetId'))
  if (image !== undefined && unmountImage(host, image)) return
  throw new OperationError(Return.failed, host.texts.invalidValue('TargetId'))
}
