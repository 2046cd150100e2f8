import type { FileFacts } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { element } from './writing.ts'

const MODE_DIGITS = 4

/** Who may do what with a file or folder, as libvirt describes it. Source: libvirt, formatstorage, "Target elements". */
export const writePermissions = ({ mode, owner, group }: FileFacts): XmlOutput =>
  element(
    'permissions',
    {},
    element('mode', {}, mode.toString(8).padStart(MODE_DIGITS, '0')),
    element('owner', {}, `${owner}`),
    element('group', {}, `${group}`),
  )
