import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unmetOfDisk, unmetOfDisks } from '../../src/drivers/hyperv/disk-demands.ts'
import { disk } from './machine-drives.ts'

const NOW = 26_100
const BEFORE_2012 = 7_601
const SERVER_2012 = 9_200
const SLOW = { requests: { perSecond: 100 } }

test('what no host of Hyper-V has of disks is named', () => {
  const path = 'C:\\Images\\a.vhdx'
  for (const [wanted, why] of [
    [disk('', 'hda', { format: 'vhd' }), /hda has no volume/],
    [disk('\\\\.\\PHYSICALDRIVE1', 'hdb', { format: 'vhd' }), /format is raw/],
    [disk('/images/a.raw', 'hda', { format: 'raw' }), /raw, and Hyper-V has vhd and vhdx/],
    [disk('/images/a.vhd', 'hda'), /no path of a Windows host/],
    [disk('a.vhd', 'hda'), /no path of a Windows host/],
    [disk(path, 'hda', { format: 'vhd' }), /goes by the name of the file/],
    [disk(path, 'hda', { readOnly: true }), /hda is read-only/],
    [disk(path, 'hda', { shared: true }), /hda is shared/],
    [disk(path, 'fda', { kind: 'floppy', format: 'raw' }), /ending .vfd/],
    [disk('C:\\a.vfd', 'fda', { kind: 'floppy', readOnly: true }), /fda is read-only/],
    [disk('C:\\a.iso', 'hdc', { kind: 'cdrom', format: 'qcow2' }), /reads discs and diskettes as raw/],
    [disk('a.iso', 'hdc', { kind: 'cdrom' }), /no path of a Windows host/],
    [
      disk('C:\\a.iso', 'hdc', { kind: 'cdrom', limits: SLOW }),
      /hdc is limited, and Hyper-V limits images of disks alone/,
    ],
    [disk('\\\\.\\PHYSICALDRIVE1', 'hdb', { format: 'raw', limits: SLOW }), /limits images of disks alone/],
    [disk(path, 'hda', { limits: { ...SLOW, bytes: { perSecond: 1 } } }), /hda has a limit of bytes/],
    [disk(path, 'hda', { limits: { ...SLOW, group: 'all' } }), /hda has a limit of group/],
    [disk(path, 'hda', { limits: { requests: { perSecond: 1, burst: 2 } } }), /those of Hyper-V have none/],
    [disk(path, 'hda', { limits: { requests: { perSecond: 0 } } }), /limit of requests is 0/],
  ] as const) {
    assert.match(unmetOfDisk(wanted, NOW) ?? '', why)
  }
  assert.match(unmetOfDisk(disk(path, 'hda'), BEFORE_2012) ?? '', /came with Windows Server 2012/)
  assert.match(unmetOfDisk(disk(path, 'hda', { limits: SLOW }), SERVER_2012) ?? '', /came with Windows Server 2012 R2/)
})

test('what every host of Hyper-V has of disks is none', () => {
  for (const wanted of [
    disk('C:\\Images\\a.vhdx', 'hda'),
    disk('c:/images/A.VHD', 'sdz', { bus: 'paravirtualised' }),
    disk('\\\\server\\share\\a.vhd', 'odd', { shared: false }),
    disk('\\\\.\\PhysicalDrive12', 'hdb', { format: 'raw' }),
    disk('', 'hdc', { kind: 'cdrom' }),
    disk('C:\\Images\\a.vhdx', 'sda', { limits: SLOW }),
    disk('D:\\anything', 'hdc', { kind: 'cdrom', readOnly: true }),
    disk('C:\\a.VFD', 'fda', { kind: 'floppy' }),
  ]) {
    assert.equal(unmetOfDisk(wanted, NOW), undefined)
  }
})

test('what a machine of Hyper-V has no place for is named', () => {
  const one = disk('C:\\a.vhd', 'hda')
  for (const [disks, why] of [
    [[disk('', 'fda', { kind: 'floppy' }), disk('', 'fdb', { kind: 'floppy' })], /one diskette drive/],
    [[one, { ...one, device: 'hdb', location: 'C:\\b.vhd' }], /two disks have the id/],
    [[one, disk('c:/A.vhd', 'sdb', { bus: 'paravirtualised' })], /two disks have the image/],
    [Array.from({ length: 5 }, (_, index) => disk(`C:\\${index}.vhd`, `vd${index}`)), /4 places/],
  ] as const) {
    assert.match(unmetOfDisks(disks, NOW) ?? '', why)
  }
  assert.equal(unmetOfDisks([one, disk('C:\\b.vhd', 'hdb')], NOW), undefined)
})
