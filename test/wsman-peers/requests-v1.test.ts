import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { BasicPoster } from './basic-poster.ts'
import { checkItem, classesIn, conditionFor } from './known-classes.ts'
import { select, textAt } from './literal-xml.ts'
import { propertyOf, RecordedClient, recorded, valuesOf } from './recorded-client.ts'

// The driver of libvirt 1.3.1, which knows root\virtualization alone: what it was recorded to send, in the order in which it
// defines a machine with a disk and connects it, and then lets it live and die.

const MACHINE = '0F924121-D665-5AAA-9722-7B7C13E12633'
const SYSTEMS = 'select * from Msvm_ComputerSystem where Description = "Microsoft Virtual Machine" '
/** Of the other namespace; and settings that the driver knows and never asks for. */
const UNREAD = /_2012$|^Msvm_VirtualHardDiskSettingData$/
const SWITCH = '31079e72-d8e6-5b06-a982-0d31f583c6cc'
const SERVICE = '<wsman:Selector Name="CreationClassName">Msvm_VirtualSwitchManagementService</wsman:Selector>'
/** Of the switch service, Server 2008 R2 wants all; the driver names it by its class, and could not make ports there. */
const ALL_KEYS =
  SERVICE +
  '<wsman:Selector Name="Name">nvspwmi</wsman:Selector><wsman:Selector Name="SystemName">HVHOST</wsman:Selector>' +
  '<wsman:Selector Name="SystemCreationClassName">Msvm_ComputerSystem</wsman:Selector>'

for (const build of [7601, 9200]) {
  describe(`a whole host of build ${build}`, () => {
    let folder: string
    let host: SimHyperv
    let poster: BasicPoster
    let client: RecordedClient
    let machine: string
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'polyvisor-requests-v1-'))
      const state = join(folder, 'state')
      await mkdir(`${state}.files/C/Disks`, { recursive: true })
      execFileSync('qemu-img', ['create', '-q', '-f', 'vpc', `${state}.files/C/Disks/Disk.vhd`, '64M'])
      const options = ['--build', String(build), '--basic', '--allow-unencrypted', '--vms', '2', '--seed', '1']
      host = await startSimHyperv(...options, '--pace', '0.2', '--state', state)
      poster = new BasicPoster(host)
      client = new RecordedClient(poster.post, 'libvirt-seed-v1')
    })
    after(async () => {
      poster[Symbol.dispose]()
      assert.equal(await host.stop(), 0)
      assert.equal(host.complaints(), '')
      await rm(folder, { recursive: true })
    })

    const partsOf = (className: string) =>
      client.query(
        `associators of {Msvm_VirtualSystemSettingData.InstanceID="Microsoft:${machine.toLowerCase()}"} ` +
          `where AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = ${className}`,
      )
    const add = async (replacements: Readonly<Record<string, string>>): Promise<string> => {
      const answer = await client.send('v1-AddVirtualSystemResources.req.txt', replacements)
      assert.equal(await client.finish(answer, 'AddVirtualSystemResources'), '0')
      const [made] = select(answer.root, "//w:Selector[@Name='InstanceID']")
      assert.ok(made, answer.text)
      return made.text
    }

    test('defines a machine, and finds it by its name among those whose description is English', async () => {
      const defined = await client.send('v1-DefineVirtualSystem.req.txt')
      assert.equal(await client.finish(defined, 'DefineVirtualSystem'), '0')

      const [found, ...more] = await client.query(`${SYSTEMS}and ElementName = "test"`)

      assert.ok(found !== undefined && more.length === 0)
      machine = propertyOf(found, 'Name') ?? ''
      const [reference] = await client.query(
        `select * from Msvm_ComputerSystem where Name = "${machine.toLowerCase()}"`,
        'Msvm_VirtualSystemManagementService',
        'references',
      )
      assert.equal(reference?.name, 'a:EndpointReference')
    })

    test('changes when it starts, and its memory', async () => {
      const start = await client.send('v1-ModifyVirtualSystem.req.txt', { [MACHINE]: machine })
      const memory = await client.send('v1-ModifyVirtualSystemResources.req.txt', { [MACHINE]: machine })

      assert.equal(await client.finish(start, 'ModifyVirtualSystem'), '0')
      assert.equal(await client.finish(memory, 'ModifyVirtualSystemResources'), '0')
      const [global] = await client.query(
        `select * from Msvm_VirtualSystemGlobalSettingData where SystemName = "${machine}"`,
      )
      assert.equal(global && propertyOf(global, 'AutomaticStartupAction'), '0')
      const [settings] = await partsOf('Msvm_MemorySettingData')
      assert.equal(settings && propertyOf(settings, 'Limit'), '8192')
    })

    test('gives it a disk, in a drive on its first controller', async () => {
      const controllers = await partsOf('Msvm_ResourceAllocationSettingData')
      const first = controllers.find(
        each => propertyOf(each, 'ResourceType') === '5' && propertyOf(each, 'Address') === '0',
      )
      const id = (first && propertyOf(first, 'InstanceID')) ?? ''
      const parent = `Microsoft:${MACHINE}\\\\61E281F7-082C-4A8B-A16F-C671061AF1C1\\\\0`
      const image =
        '&lt;PROPERTY.ARRAY NAME="Connection" TYPE="string"&gt;&lt;VALUE.ARRAY&gt;&lt;VALUE&gt;D:\\\\Disks\\\\Disk.vhd' +
        '&lt;/VALUE&gt;&lt;/VALUE.ARRAY&gt;&lt;/PROPERTY.ARRAY&gt;'

      const drive = await add({
        [parent]: id.replaceAll('\\', '\\\\'),
        [MACHINE]: machine,
        [image]: '&lt;PROPERTY NAME="Address" TYPE="string"&gt;&lt;VALUE&gt;0&lt;/VALUE&gt;&lt;/PROPERTY&gt;',
        '&lt;VALUE&gt;21&lt;': '&lt;VALUE&gt;22&lt;',
        'Microsoft Virtual Hard Disk': 'Microsoft Synthetic Disk Drive',
      })
      await add({ [parent]: drive.replaceAll('\\', '\\\\'), [MACHINE]: machine, 'D:\\': 'C:\\' })

      const images = (await partsOf('Msvm_ResourceAllocationSettingData')).filter(
        each => propertyOf(each, 'ResourceType') === '21',
      )
      const [inDrive, ...more] = images
      assert.ok(inDrive !== undefined && more.length === 0)
      assert.match(valuesOf(inDrive, 'Connection')[0] ?? '', /^C:\\+Disks\\+Disk\.vhd$/)
      assert.ok(propertyOf(inDrive, 'Parent')?.endsWith(`${drive.replaceAll('\\', '\\\\')}"`))
    })

    test('connects it to a port of a switch', async () => {
      // The driver makes no switch: an operator does, by the same service.
      const port = recorded('libvirt-seed-v1/v1-CreateSwitchPort.req.txt', { [SERVICE]: ALL_KEYS })
      const made = await client.post(
        port
          .replaceAll('CreateSwitchPort', 'CreateSwitch')
          .replace(/<n1:VirtualSwitch>.*<\/n1:VirtualSwitch>/, '')
          .replace(/(?<=<n1:Name>)[^<]+/, SWITCH),
      )
      assert.equal(await client.finish(made, 'CreateSwitch'), '0')
      const [lan] = await client.query('select * from Msvm_VirtualSwitch where HealthState = 5')
      assert.ok(lan)
      assert.equal(propertyOf(lan, 'Name')?.toLowerCase(), SWITCH)

      const created = await client.post(port)

      assert.equal(await client.finish(created, 'CreateSwitchPort'), '0')
      const output = '/s:Envelope/s:Body/p:CreateSwitchPort_OUTPUT/p:CreatedSwitchPort'
      const name = textAt(created.root, `${output}/a:ReferenceParameters/w:SelectorSet/w:Selector[@Name='Name']`)
      assert.equal(name?.toLowerCase(), '76e25eb5-5142-4b26-8065-37f6df0e4360')
    })

    test('starts, is seen and typed at, and is stopped and destroyed', async () => {
      const state = async (wanted: string): Promise<string | undefined> => {
        const answer = await client.send('v1-RequestStateChange.req.txt', {
          [MACHINE.toLowerCase()]: machine.toLowerCase(),
          '<n1:RequestedState>2<': `<n1:RequestedState>${wanted}<`,
        })
        assert.equal(await client.finish(answer, 'RequestStateChange'), '0')
        const [found] = await client.query(`select * from Msvm_ComputerSystem where Name = "${machine}"`)
        return found && propertyOf(found, 'EnabledState')
      }
      assert.equal(await state('2'), '2')
      const [keyboard] = await client.query(`select * from Msvm_Keyboard where SystemName = "${machine}"`)
      const device = (keyboard && propertyOf(keyboard, 'DeviceID')) ?? ''
      for (const method of ['PressKey', 'ReleaseKey']) {
        const answer = await client.send(`v1-${method}.req.txt`, {
          [`Microsoft:${MACHINE}\\KBD`]: device,
          [MACHINE.toLowerCase()]: machine.toLowerCase(),
        })
        assert.equal(await client.finish(answer, method), '0')
      }
      const seen = await client.send('v1-GetVirtualSystemThumbnailImage.req.txt', { [MACHINE]: machine })
      const image = '/s:Envelope/s:Body/p:GetVirtualSystemThumbnailImage_OUTPUT/p:ImageData'
      assert.equal(Buffer.from(textAt(seen.root, image) ?? '', 'base64').length, 32 * 32 * 2)

      // Numbers of this namespace: paused, saved.
      assert.deepEqual([await state('32768'), await state('2'), await state('32769')], ['32768', '2', '32769'])
      assert.equal(await state('3'), '3')
      const destroyed = await client.send('v1-DestroyVirtualSystem.req.txt', {
        '577C0415-CC6F-4201-94F1-B88CF5398C80': machine,
      })
      assert.equal(await client.finish(destroyed, 'DestroyVirtualSystem'), '0')
      assert.deepEqual(await client.query(`${SYSTEMS}and ElementName = "test"`), [])
    })

    test('has all properties that the driver reads of each class', async () => {
      const known = Object.entries(await classesIn('v1')).filter(([name]) => !UNREAD.test(name))
      assert.equal(known.length, 21)
      for (const [className, properties] of known) {
        const items = await client.query(`SELECT * FROM ${className} ${conditionFor(className)}`, className)
        assert.ok(items.length > 0, className)
        for (const item of items) checkItem(item, properties)
      }
    })
  })
}
