import type { ImageFormat } from '../../drivers/driver.ts'
import { lookup } from './lookup.ts'

/** Formats by the names that libvirt has for them. It has none for VHDX, which goes by its own. */
const FORMATS: Readonly<Record<string, ImageFormat>> = {
  raw: 'raw',
  iso: 'raw',
  qcow2: 'qcow2',
  vpc: 'vhd',
  vhd: 'vhd',
  vhdx: 'vhdx',
}

/** The format of this name; undefined where nobody here has it. */
export const formatNamed = (name: string): ImageFormat | undefined => lookup(FORMATS, name)

/** libvirt's name of a format. */
export const formatName = (format: ImageFormat): string => (format === 'vhd' ? 'vpc' : format)
