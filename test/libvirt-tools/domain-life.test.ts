import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  bootDisk,
  booted,
  BUSY,
  BYTES,
  domainXml,
  furnish,
  HOSTS,
  linuxGuest,
  medium,
  type Traits,
  until,
} from './domain-hosts.ts'
import { type HostName, serve, type World } from './world.ts'

for (const host of ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]) {
  describe(`virsh leads the life of a domain on ${host}`, () => {
    const traits = HOSTS[host]
    let world: World
    let images: readonly string[]
    before(async () => {
      world = await serve({ hosts: [host], hyperv: ['--vms', '1'] })
      images = await furnish(world, host)
    })
    after(async () => {
      await world.close()
      assert.deepEqual(world.complaints, [])
    })
    const each = (...commands: readonly string[]) => world.each(host, commands)
    const ok = (...args: readonly string[]) => world.ok(host, ...args)
    /** Writes a description, and gives the path of its file. */
    const described = async (name: string, more = {}) => {
      const file = join(world.folder, `${name}.xml`)
      await writeFile(file, domainXml(traits.type, name, more))
      return file
    }

    it('defines, describes, edits, renames and forgets it', async () => {
      const file = await described('plain', { vcpus: 2 })
      assert.equal(await ok('define', file), `Domain 'plain' defined from ${file}\n\n`)
      const [listed = '', uuid = '', id, state, xml = ''] = await each(
        'list --all --name',
        'domuuid plain',
        'domid plain',
        'domstate plain --reason',
        'dumpxml plain --inactive --security-info',
      )
      assert.match(listed, /^plain$/m)
      assert.match(uuid, /^[0-9a-f-]{36}$/)
      assert.deepEqual([id, state], ['-', 'shut off (unknown)'])
      assert.match(xml, new RegExp(`<domain type='${traits.type}'>[^]*<uuid>${uuid}</uuid>[^]*>2</vcpu>`))

      await edit(world, host, 'plain', 's,>2</vcpu>,>3</vcpu>,')
      await each(`desc plain --title 'The title'`, 'desc plain what it is for')
      const crashes = traits.type === 'hyperv' ? [] : ['set-lifecycle-action plain crash preserve']
      await each(`metadata plain urn:own --key own --set '<note/>'`, ...crashes)
      const [info = '', title = '', description = '', note = '', after = ''] = await each(
        'dominfo plain',
        'list --all --title',
        'desc plain',
        'metadata plain urn:own',
        'dumpxml plain',
      )
      assert.match(info, /^Name: +plain\nUUID: .*\nOS Type: +hvm\nState: +shut off\nCPU\(s\): +3$/m)
      assert.match(title, /plain +shut off +The title/)
      assert.deepEqual([description, note], ['what it is for', '<note/>'])
      assert.equal(/<on_crash>preserve<\/on_crash>/.test(after), crashes.length > 0)

      await each('domrename plain renamed', `domname ${uuid}`)
      assert.equal(await ok('undefine', 'renamed'), `Domain 'renamed' has been undefined\n\n`)
      assert.equal(await world.no(host, 'dominfo', 'renamed'), `error: failed to get domain 'renamed'`)
    })

    it('starts, suspends, resumes, saves, resets and stops it', async () => {
      const file = await described('life', { guest: host === 'qemu' ? bootDisk(world) : '' })
      await each(`define ${file}`, 'start life')
      // A reset that meets QEMU's firmware at work may be the guest's end.
      if (host === 'qemu') await booted(world, (await ok('domuuid', 'life')).trim())
      const told = await each(
        'domstate life --reason',
        'suspend life',
        'domstate life --reason',
        'resume life',
        'domstate life --reason',
        'reset life',
        'reboot life',
        'domcontrol life',
        'managedsave life',
        'domstate life --reason',
        'list --all --managed-save',
        'start life',
        'domstate life --reason',
        'domstats life --state',
      )
      assert.deepEqual([told[0], told[2], told[4]], ['running (booted)', 'paused (user)', 'running (unpaused)'])
      assert.deepEqual([told[7], told[9], told[12]], ['ok', 'shut off (saved)', 'running (restored)'])
      assert.match(told[13] ?? '', /state\.state=1\n +state\.reason=3/)
      assert.match(told[10] ?? '', /- +life +saved$/m)

      await until(async () => {
        await world.virsh(host, ['shutdown', 'life'])
        return (await ok('domstate', 'life')).startsWith('shut off')
      })
      assert.equal((await ok('domstate', 'life', '--reason')).trim(), 'shut off (shutdown)')
      const [, paused, , , saved, , , off, , destroyed] = await each(
        'start life --paused',
        'domstate life --reason',
        'resume life',
        'managedsave life',
        'dominfo life',
        'managedsave-remove life',
        'start life',
        'domid life',
        'destroy life',
        'domstate life --reason',
        'undefine life --managed-save',
      )
      assert.deepEqual([paused, destroyed], ['paused (user)', 'shut off (destroyed)'])
      assert.match(saved ?? '', /^Managed save: +yes$/m)
      assert.match(off ?? '', /^\d+$/)
      await world.no(host, 'domstate', 'life')

      const [, created] = await each(
        `create ${file} --paused`,
        'list --state-paused --name',
        'destroy life',
        'undefine life',
      )
      assert.equal(created, 'life')
    })

    it('changes its virtual CPUs, memory, shares and autostart', async () => {
      const [scheduler, parameter, value] = traits.shares
      const changed = `schedinfo tuned --set ${parameter}=${value}`
      await each(
        `define ${await described('tuned')}`,
        'setvcpus tuned 2 --maximum --config',
        'setvcpus tuned 2 --config',
      )
      await each('setmaxmem tuned 192M --config', 'setmem tuned 96M --config', changed, 'autostart tuned')
      const [info = '', shares = '', counts = '', xml = ''] = await each(
        'dominfo tuned',
        'schedinfo tuned',
        'vcpucount tuned',
        'dumpxml tuned',
      )
      assert.match(info, /^CPU\(s\): +2\nMax memory: +196608 KiB\nUsed memory: +98304 KiB$/m)
      assert.match(info, /^Autostart: +enable$/m)
      assert.match(shares, new RegExp(`^Scheduler +: ${scheduler}\n[^]*^${parameter} +: ${value}$`, 'm'))
      assert.match(counts, /^maximum +config +\d+\ncurrent +config +2$/m)
      assert.match(xml, /<memory unit='KiB'>196608<\/memory>\s*<currentMemory unit='KiB'>98304</)

      await each('start tuned')
      const [vcpus = '', live = '', memory = '', binding = '', times = ''] = await each(
        'vcpuinfo tuned --pretty',
        'vcpucount tuned --live',
        'dommemstat tuned',
        'vcpupin tuned',
        'cpu-stats tuned',
      )
      assert.match(vcpus, /^VCPU: +0\n[^]*^State: +running\n[^]*^VCPU: +1\n[^]*^CPU Affinity: +0-\d+ \(out of \d+\)$/m)
      assert.match(live, /^2$|^maximum +2\ncurrent +2$/)
      assert.match(memory, host === 'v1' || host === 'v2' ? /^actual \d+$/ : /^actual \d+$[^]*^rss \d+$/m)
      assert.match(times, /Total:\n\tcpu_time +\d+\.\d{9} seconds/)
      assert.match(times, host === 'memory' ? /^CPU0:\n\tcpu_time[^]*^CPU1:/m : /^No per-CPU stats available/)
      assert.match(binding, /^ *0 +0-\d+\n 1 +0-\d+$/m)
      await each('setvcpus tuned 1 --config', 'autostart tuned --disable', ...liveChanges(traits))
      const [config, after = ''] = await each('vcpucount tuned --config --active', 'dominfo tuned')
      assert.equal(config, '1')
      assert.match(after, /^Autostart: +disable$/m)
      await each('destroy tuned', ...(traits.bindsCpus ? ['vcpupin tuned 0 1', 'vcpupin tuned --config'] : []))
      await each('undefine tuned')
    })

    it('plugs disks and interfaces in, counts what goes through them, and pulls them', async () => {
      const [first = '', second = ''] = images.map(path => `'${path}'`)
      const { target, options } = traits
      const memory = { memoryMib: 128, guest: host === 'qemu' ? await linuxGuest(world, BUSY) : '' }
      await each(
        `define ${await described('busy', memory)}`,
        `attach-disk busy ${first} hda ${host === 'qemu' || host === 'memory' ? '--subdriver qcow2' : ''} --config`,
        `attach-interface busy network lan ${host === 'qemu' ? '--model virtio' : ''} --config`,
        'start busy',
      )
      if (host === 'qemu') await booted(world, (await ok('domuuid', 'busy')).trim())
      await each(`attach-disk busy ${second} ${target} ${options} --persistent`)
      const [disks = '', nics = '', sizes = '', blocks = '', traffic = '', told = '', all = '', human = ''] =
        await each(
          'domblklist busy --details',
          'domiflist busy',
          `domblkinfo busy ${target}`,
          `domblkstat busy ${target}`,
          'domifstat busy eth0',
          'domstats busy',
          'domblkinfo busy --all',
          'domblkstat busy hda --human',
        )
      for (const [place, path] of [
        ['hda', first],
        [target, second],
      ] as const) {
        assert(disks.replaceAll(/ +/g, ' ').includes(`file disk ${place} ${path.slice(1, -1)}`), disks)
      }
      assert.match(nics, /^ *eth0 +network +lan +\w+ +([0-9a-f]{2}:){5}[0-9a-f]{2}$/m)
      assert.match(sizes, new RegExp(`^Capacity: +${BYTES}\nAllocation: +\\d+\nPhysical: +\\d+$`, 'm'))
      assert.deepEqual(
        namesIn(blocks),
        traits.countedOfDisks.map(name => `${target} ${name}`),
      )
      assert.match(human, /^ number of write operations: +\d+$/m)
      assert.deepEqual(
        namesIn(traffic),
        traits.countedOfInterfaces.map(name => `eth0 ${name}`),
      )
      assert.match(told, new RegExp(`net.0.name=eth0[^]*block.count=2[^]*block.1.name=${target}[^]*capacity=${BYTES}`))
      assert.match(told, /^ +net.0.tx.pkts=\d+$[^]*^ +block.1.rd.reqs=\d+$[^]*^ +block.1.fl.reqs=\d+$/m)
      assert.match(all, new RegExp(`^ ?hda +${BYTES} +\\d+ +\\d+\n ${target} +${BYTES} +\\d+ +\\d+$`, 'm'))
      if (host === 'memory' || host === 'qemu') await tellsOfMemory()
      else assert.match(await world.no(host, 'dommemstat', 'busy', '--period', '1'), /virDomainSetMemoryStatsPeriod$/m)

      if (host === 'qemu') {
        const watched = await world.python(host, 'counters.py', ['busy', 'hda', 'eth0'])
        assert.deepEqual(watched, { code: 0, stdout: '', stderr: '' })
      }

      await each(`detach-disk busy ${target} --persistent`)
      if (traits.plugsNics) {
        await each('attach-interface busy network lan --persistent --mac 52:54:00:00:00:07')
        await each('detach-interface busy network --mac 52:54:00:00:00:07 --persistent')
      }
      await each('destroy busy', 'detach-disk busy hda --config', 'detach-interface busy network --config')
      const [left, leftNics, xml] = await each('domblklist busy', 'domiflist busy', 'dumpxml busy')
      assert.deepEqual([left, leftNics], ['', ''])
      assert.doesNotMatch(xml ?? '', /<disk|<interface/)
      await each('undefine busy')
    })

    /** Of a guest that is up, and on which disks nothing is amiss. */
    async function tellsOfMemory(): Promise<void> {
      assert.equal(await ok('domblkerror', 'busy'), 'No errors found\n\n')
      const [, , now, later] = await each(
        'dommemstat busy --period 2 --live',
        'dommemstat busy --period 1 --config',
        'dumpxml busy --xpath //memballoon/stats/@period',
        'dumpxml busy --inactive --xpath //memballoon/stats/@period',
      )
      assert.deepEqual([now?.trim(), later?.trim()], ['period="2"', 'period="1"'])
      await until(async () => /^unused [1-9]\d*$[^]*^last_update \d+$/m.test(await ok('dommemstat', 'busy')))
      await each('dommemstat busy --period 0 --live')
      assert.doesNotMatch(await ok('dumpxml', 'busy'), /<stats period/)
    }

    it('changes what lies in its drives', async () => {
      const cd = await medium(world, host)
      const lying = 'domblklist drives'
      await each(
        `define ${await described('drives')}`,
        `attach-disk drives '' hdc --type cdrom --mode readonly --config`,
      )
      const told = await each(
        lying,
        `change-media drives hdc '${cd}' --insert --config`,
        'start drives',
        lying,
        'change-media drives hdc --eject',
        lying,
        `change-media drives hdc '${cd}' --insert --live`,
        `change-media drives hdc '${cd}' --update`,
        lying,
        'change-media drives hdc --eject --force',
        'destroy drives',
        'undefine drives',
      )
      const source = (at: number) => /hdc +(.*)$/.exec(told[at] ?? '')?.[1]
      assert.deepEqual([source(0), source(3), source(5), source(8)], ['-', cd, '-', cd])
    })

    it('takes the carrier of an interface away, limits a disk, and interrupts the guest', async () => {
      const [image = ''] = images.map(path => `'${path}'`)
      const { target, options, limits } = traits
      await each(
        `define ${await described('linked', { vcpus: 2 })}`,
        `attach-disk linked ${image} ${target} ${options} --config`,
        'attach-interface linked network lan --config --mac 52:54:00:00:00:21',
        'domif-setlink linked eth0 down --config',
        'start linked',
      )
      const links = await each(
        'domif-getlink linked eth0',
        'domif-setlink linked eth0 up',
        'domif-getlink linked eth0',
        'domif-setlink linked 52:54:00:00:00:21 down',
        'managedsave linked',
        'start linked',
        'domif-getlink linked eth0',
        'domif-getlink linked eth0 --config',
        'domiflist linked',
      )
      assert.deepEqual([links[0], links[2], links[6], links[7]], ['eth0 down', 'eth0 up', 'eth0 down', 'eth0 down'])
      assert.match(links[8] ?? '', /^ *eth0 +network +lan /m)

      const tune = `blkdeviotune linked ${target}`
      if (limits === 'none') {
        assert.match(await world.no(host, ...tune.split(' ')), unsupported('virDomainGetBlockIoTune'))
        assert.match(await world.no(host, 'inject-nmi', 'linked'), unsupported('virDomainInjectNMI'))
      } else {
        const [, live = '', , later = ''] = await each(
          `${tune} --total-iops-sec 120`,
          tune,
          `${tune} --total-iops-sec 80 --config`,
          `${tune} --config`,
          'inject-nmi linked',
        )
        assert.match(live, /^total_iops_sec *: 120$/m)
        assert.match(later, /^total_iops_sec *: 80$/m)
      }
      if (limits === 'all') {
        await each(`${tune} --read-bytes-sec 4096 --read-bytes-sec-max 8192 --read-bytes-sec-max-length 2`)
        const [, told = ''] = await each(`${tune} --group-name slow`, tune)
        assert.match(told, /^read_bytes_sec *: 4096$[^]*^read_bytes_sec_max *: 8192$[^]*^group_name *: slow$/m)
      } else if (limits === 'requests') {
        const refusal = await world.no(host, ...tune.split(' '), '--read-bytes-sec', '4096')
        assert.match(
          refusal,
          /unsupported configuration: \w+ has a limit of readBytes, and Hyper-V limits the requests/,
        )
      }
      await each('destroy linked')
      if (limits !== 'none') assert.match((await each('dumpxml linked'))[0] ?? '', /<total_iops_sec>\d+</)
      await each('setvcpu linked 1 --enable', 'undefine linked')
    })

    it('is told why what cannot be is not done, in the words of libvirt', async () => {
      await each(`define ${await described('other')}`)
      const refusals: readonly (readonly [command: string, why: RegExp])[] = [
        ['start nobody', /^error: failed to get domain 'nobody'$/m],
        ['destroy other', /^error: Failed to destroy domain 'other'\nerror: Requested operation is not valid: /m],
        ['setvcpus other 0 --config', /^error: Can't set 0 processors for a VM$/m],
        ['setvcpus other 100000 --config', /^error: invalid argument: requested vcpus is greater than max allowable/m],
        ['setmem other 1T --config', /^error: invalid argument: cannot set memory higher than max memory$/m],
        ['setmem other 65536 --live', /^error: Requested operation is not valid: domain is not running$/m],
        ['detach-disk other vdz', /^error: Failed to get disk information$/m],
        ['schedinfo other --set nothing=1', /^error: invalid scheduler option: nothing$/m],
        ['managedsave-remove other', /^$|has no manage save image/m],
        ['dompmsuspend other mem', unsupported('virDomainPMSuspendForDuration')],
        ['numatune other', unsupported('virDomainGetNumaParameters')],
        ['domiftune other eth0', unsupported('virDomainGetInterfaceParameters')],
        ['iothreadinfo other', unsupported('virDomainGetIOThreadInfo')],
        ['domifaddr other', /^error: Failed to query for interfaces addresses$/m],
        ['emulatorpin other', unsupported('virDomainGetEmulatorPinInfo')],
        ['domhostname other', /^error: Requested operation is not valid: domain is not running$/m],
        ['domstats --enforce --vm', /^error: argument unsupported: Stats types bits 0x400 are not supported by this/m],
      ]
      const { stdout, stderr } = await world.virsh(host, [refusals.map(([command]) => command).join('; ')])
      for (const [command, why] of refusals) assert.match(`${stdout}${stderr}`, why, command)
      const [state] = await each('domstate other', 'undefine other')
      assert.equal(state, 'shut off')
    })
  })
}

/** What is counted, line by line. */
const namesIn = (told: string): string[] => told.split('\n').map(line => line.trim().replace(/ \d+$/, ''))

/** What virsh says of a function that no host has. */
const unsupported = (name: string) =>
  new RegExp(`^error: this function is not supported by the connection driver: ${name}$`, 'm')

/** What can be changed while it runs; of one of the oldest hosts nothing is. */
function liveChanges({ changesMemory, changesShares, shares: [, parameter, value] }: Traits): string[] {
  return [
    ...(changesMemory ? ['setmem tuned 64M --live'] : []),
    ...(changesShares ? [`schedinfo tuned --set ${parameter}=${value + 1} --live`] : []),
  ]
}

/** Lets virsh edit a description by a command of sed. */
async function edit(world: World, host: HostName, name: string, command: string): Promise<void> {
  const editor = join(world.folder, 'editor')
  await writeFile(editor, `#!/bin/sh\nexec sed -i '${command}' "$1"\n`)
  await chmod(editor, 0o755)
  const { code, stdout, stderr } = await world.virsh(host, ['edit', name], { env: { EDITOR: editor } })
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 0, stdout: `Domain '${name}' XML configuration edited.\n\n`, stderr: '' },
  )
}
