import type { Folders } from './folders.ts'
import type { Inventory } from './inventory.ts'
import type { QemuImg } from './qemu-img.ts'

/** What the operations on images work with. */
export interface StorageTools {
  readonly qemuImg: QemuImg
  readonly inventory: Inventory
  readonly folders: Folders
}
