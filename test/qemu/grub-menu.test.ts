import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { DriverError } from '../../src/drivers/driver.ts'
import { defaultEntry, toCommandLine } from '../../src/drivers/qemu/guest-disk/grub-menu.ts'
import type { GrubDisk, GrubLoaded } from '../../src/drivers/qemu/guest-disk/grub-shell.ts'

/** Two partitions: files by device and path. */
function diskWith(files: Readonly<Record<string, string>>): GrubDisk {
  const at = (device: string, path: string) => files[`(${device})${path}`]
  return {
    readText: (device, path) => Promise.resolve(at(device, path)),
    look: (device, path) => {
      const text = at(device, path)
      return Promise.resolve(text === undefined ? undefined : { isFolder: false, bytes: text.length })
    },
    search: (by, value) => Promise.resolve(by === 'uuid' && value === '12-34' ? 'hd0,gpt2' : undefined),
  }
}

const MENU = { device: 'hd0,gpt1', folder: '/boot/grub', file: 'grub.cfg' } as const

const entryOf = (menu: string, files: Readonly<Record<string, string>> = {}): Promise<GrubLoaded> =>
  defaultEntry(diskWith({ '(hd0,gpt1)/boot/grub/grub.cfg': menu, ...files }), MENU)

const kernelOf = async (menu: string, files?: Readonly<Record<string, string>>) => (await entryOf(menu, files)).kernel

const entry = (name: string, options = '') => `menuentry "${name}" ${options} {\n linux /${name}\n}\n`

describe("GRUB's menu", () => {
  const entries = `${entry('a')}${entry('b', "--class x --id 'the b'")}submenu more --id=m {\n${entry('c')}${entry('d')}}\n`
  const choices: ReadonlyArray<readonly [string, string]> = [
    ['', '/a'],
    ['set default=1', '/b'],
    ['set default="the b"', '/b'],
    ['default=b', '/b'],
    ['set default=9', '/a'],
    ['set default=gone', '/a'],
    ['set default=2', '/c'],
    ['set default="2>1"', '/d'],
    ['set default="m>d"', '/d'],
    ['set default="more>9"', '/c'],
  ]
  for (const [choice, kernel] of choices) {
    test(`boots ${kernel} where it says ${choice === '' ? 'nothing' : choice}`, async () => {
      assert.equal(await kernelOf(`${choice}\n${entries}`), kernel)
    })
  }

  test('heeds what was saved, but not what was to count for one boot', async () => {
    const menu = `
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   save_env next_entry
else
   set default="\${saved_entry}"
fi
${entries}`
    const block = '# a comment\nsaved_entry=the b\nnext_entry=a\n####'

    assert.equal(await kernelOf(menu, { '(hd0,gpt1)/boot/grub/grubenv': block }), '/b')
    assert.equal(await kernelOf(menu), '/a')
  })

  test('is run as a script, with functions, conditions, loops and quotes', async () => {
    const { kernel, device, words, initrds } = await entryOf(`
# a comment; with 'a quote
function use { set found="$1" ; true }
if [ x$feature_menuentry_id = xy ]; then id="--id"; else id=""; fi
if false; then set k=no
elif ! test "$grub_platform" = efi -o -z ""; then set k=wrong; else set k=right
fi
for word in one two; do set all="$all$word"; done
until [ "$n" = xxx ]; do set n=x$n; done
while [ "$n" = xxx ]; do set n=; done
menuentry 'Title with } and $k' --class gnu $id 'an id' {
	insmod part_gpt
	if unheard_of_command; then set k=no; fi
	search --no-floppy --fs-uuid --set=root --hint-bios=hd0 12-34
	use
	linux16	/$k"-$all" root=UUID=1 a\\ b "c \${all}" '$all' \\
	   last
	initrd16 /early /initrd-\${all}.img
}`)

    assert.deepEqual(
      { kernel, device, words, initrds },
      {
        kernel: '/right-onetwo',
        device: 'hd0,gpt2',
        words: ['root=UUID=1', 'a b', 'c onetwo', '$all', 'last'],
        initrds: ['/early', '/initrd-onetwo.img'],
      },
    )
  })

  test('goes on in other files', async () => {
    const files = {
      '(hd0,gpt2)/grub/grub.cfg': `source \${prefix}/more.cfg\n${entry('b')}`,
      '(hd0,gpt2)/grub/more.cfg': entry('a'),
    }
    const menu = `${entry('z')}search.fs_uuid 12-34 other hd0,gpt9\nsearch -s -u 12-34 ignored\nset prefix=($other)'/grub'\nconfigfile $prefix/grub.cfg\n`

    assert.equal(await kernelOf(menu, files), '/a')
  })

  const refusals: ReadonlyArray<readonly [string, string, RegExp]> = [
    ['is empty', '', /no entries/],
    ['has an entry that loads something else', 'menuentry a { chainloader +1 }', /"a" of GRUB's menu loads no Linux/],
    ['has a quote without end', 'set a="b', /quote .* no end/],
    ['has a block without end', 'menuentry a {\nlinux /k\n', /"}" is missing/],
    ['has a condition without end', 'if true; then\n', /"fi" is missing/],
    ['ends a block that it did not begin', '}\n', /did not begin/],
    ['has a loop without end', 'while true; do true; done', /does not end within 20000 commands/],
    ['has a function that calls itself', 'function f {\nf\n}\nf\n', /calls itself without end/],
    ['is a file that goes on in itself', 'source $prefix/grub.cfg\n', /calls itself without end/],
    ['has menus in each other without end', `submenu a { source $prefix/grub.cfg }`, /too deep in each other/],
    ['has a word that doubles', `a=xx\nwhile true; do a="$a$a"; done`, /too long/],
    ['has blocks in each other', 'if true; then\n'.repeat(100), /too many blocks in each other/],
    ['has too many entries', 'while true; do menuentry a { true }\ndone', /too many entries/],
  ]
  for (const [what, menu, reason] of refusals) {
    test(`that ${what} is refused`, async () => {
      await assert.rejects(entryOf(menu), { name: 'DriverError', kind: 'refused', message: reason })
    })
  }

  test('whatever it says, leads to an entry or a refusal', async () => {
    const words = 'if then else elif fi for in while until do done function menuentry submenu { } [ ] = -o ! "$a'
    const more = 'set a=$a $a ${a} load_env search -u 12-34 source $prefix/grub.cfg $ linux initrd /k " \' \\ ;'
    const word = fc.constantFrom('\n', ' ', ...words.split(' '), ...more.split(' '))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(word, fc.string({ maxLength: 3 })), { maxLength: 60 }), async said => {
        for (const menu of [said.join(' '), said.join('')]) {
          try {
            await entryOf(menu)
          } catch (error) {
            assert(error instanceof DriverError && error.kind === 'refused', String(error))
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})

test('words of a command line are quoted as GRUB does', () => {
  assert.equal(toCommandLine(['a', 'b c', `d"e'f\\`]), `a "b c" d\\"e\\'f\\\\`)
})

describe("the old GRUB's menu", () => {
  const legacy = (menu: string) =>
    defaultEntry(diskWith({ '(hd0,msdos1)/grub/menu.lst': menu }), {
      device: 'hd0,msdos1',
      folder: '/grub',
      file: 'menu.lst',
    })

  test('names partitions from 0, and its default by number', async () => {
    const menu =
      '# comment\ndefault=1\ntimeout 5\ntitle a\nkernel /a\ntitle b b\n root (hd0,4)\n kernel (hd0,0)/b --type=linux x y\n initrd /i\n'

    const expected = { kernel: '(hd0,1)/b', device: 'hd0,5', words: ['x', 'y'], initrds: ['/i'] }
    assert.deepEqual(await legacy(menu), expected)
  })

  test('boots the first where the default was saved or is not there', async () => {
    for (const choice of ['saved', '7', '']) {
      assert.equal((await legacy(`default ${choice}\ntitle a\nkernel /a\ntitle b\nkernel /b\n`)).kernel, '/a')
    }
  })

  test('without a kernel is refused', async () => {
    await assert.rejects(legacy(''), { kind: 'refused', message: /no entries/ })
    await assert.rejects(legacy('title a\nchainloader +1\n'), { kind: 'refused', message: /"a" .* loads no kernel/ })
  })
})
