import type { StorageOps } from '../driver.ts'
import type { BackEnd } from './back-end.ts'
import { FOLDER_TYPE, folderIn, openFolder, ownRepositories, placeOf, rootsOf } from './folders.ts'
import type { Gate } from './gate.ts'
import { assertChildless, assertUnused, sayIfInUse, useOf } from './image-use.ts'
import type { HostFolders } from './host-facts.ts'
import { KnownFacts } from './known-facts.ts'
import type { Locks } from './locks.ts'
import { deleteFile, moveVolume } from './move-volume.ts'
import { copyVolume, createVolume } from './new-volume.ts'
import { resizeVolume } from './resize-volume.ts'
import { sharedCall } from './shared-call.ts'
import type { StorageParts } from './storage-parts.ts'
import { findVolume, findVolumes, listVolumes } from './volumes.ts'

/** What the group is made of. */
interface Host {
  readonly backEnd: Pick<BackEnd, 'storage' | 'machines'>
  readonly folders: HostFolders
  /** By folder and name. */
  readonly locks: Locks
}

/** The images of a host as files in its folders. */
export function storageOps({ backEnd, folders, locks }: Host, gate: Gate): StorageOps {
  const { storage } = backEnd
  const parts: StorageParts = { storage, machines: () => backEnd.machines(), known: new KnownFacts(), locks }
  const attachments = sharedCall(() => storage.attachments())
  return {
    types: [FOLDER_TYPE],
    formats: storage.formats,
    repositories: () => gate.pass(() => ownRepositories(storage, folders.images)),
    roots: () => gate.pass(() => rootsOf(storage)),
    defaultLocation: name => placeOf(folders.images, name),
    openRepository: repository => gate.pass(async () => openFolder(storage, folderIn(repository), folders)),
    listVolumes: repository => gate.pass(async () => listVolumes(storage, parts.known, folderIn(repository))),
    createVolume: (repository, volume, options) =>
      gate.pass(async () => createVolume(parts, folderIn(repository), volume, options)),
    // Whoever looks at many does so side by side.
    getVolume: location => gate.pass(async () => (await findVolume(storage, location, attachments)).volume),
    getVolumes: locations => gate.pass(() => findVolumes(storage, parts.known, [...locations])),
    resizeVolume: (location, virtualBytes) => gate.pass(() => resizeVolume(parts, location, virtualBytes)),
    moveVolume: (location, repository, options) =>
      gate.pass(async () => moveVolume(parts, location, folderIn(repository), options)),
    copyVolume: (location, repository, copy, options) =>
      gate.pass(async () => copyVolume(parts, location, folderIn(repository), copy, options)),
    deleteVolume: location => gate.pass(() => deleteVolume(parts, location)),
  }
}

async function deleteVolume({ storage, machines }: StorageParts, location: string): Promise<void> {
  const found = await findVolume(storage, location)
  const use = await useOf(storage, machines, found)
  assertUnused(use, location)
  assertChildless(use, location)
  await sayIfInUse(storage, found.volume.location, () => deleteFile(storage, found.volume.location))
}
