import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDocument } from '../../src/wire/xml/document.ts'
import { XmlError, type XmlErrorKind } from '../../src/wire/xml/error.ts'
import { DEFAULT_XML_LIMITS, type XmlLimits } from '../../src/wire/xml/limits.ts'
import { XmlReader } from '../../src/wire/xml/reader.ts'

/** Generous for a busy machine, and still far from what anything quadratic would take on these documents. */
const QUICK_MS = 15_000

/** The tokens of a document in a line: `<name attribute=value>`, `"text"`, `/`. */
function tokens(input: string | Uint8Array, limits: Partial<XmlLimits> = {}): string {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const bounds = { ...DEFAULT_XML_LIMITS, ...limits }
  const reader = new XmlReader(openDocument(bytes, bounds.maxBytes), bounds)
  const seen: string[] = []
  for (let token = reader.next(); token !== 'document-end'; token = reader.next()) {
    if (token === 'start') {
      seen.push(`<${[reader.name, ...reader.attributes.map(({ name, value }) => `${name}=${value}`)].join(' ')}>`)
    } else seen.push(token === 'text' ? JSON.stringify(reader.text) : '/')
  }
  return seen.join('')
}

function refuses(input: string | Uint8Array, kind: XmlErrorKind, limits?: Partial<XmlLimits>): void {
  assert.throws(
    () => tokens(input, limits),
    (error: unknown) => {
      assert.ok(error instanceof XmlError, String(error))
      assert.equal(error.kind, kind, error.message)
      assert.ok(error.offset >= 0 && error.message.length < 120, error.message)
      return true
    },
    typeof input === 'string' ? input.slice(0, 80) : undefined,
  )
}

describe('the tokenizer reads', () => {
  const documents: readonly (readonly [what: string, input: string, expected: string])[] = [
    ['elements and text', '<a><b>x</b> y</a>', '<a><b>"x"/" y"/'],
    ['elements that close themselves', '<a><b/><c /></a>', '<a><b>/<c>//'],
    ['white space inside tags', '<a\n x = "1"\t y=\'2\' ><b\r\n/></a\n>', '<a x=1 y=2><b>//'],
    ['a declaration', '<?xml version="1.0" encoding="utf-8" standalone=\'yes\'?>\n<a/>', '<a>/'],
    ['a declaration of ASCII', "<?xml version='1.0' encoding='US-ASCII'?><a/>", '<a>/'],
    ['comments and instructions everywhere', '<!--x--><?p q?><a>1<!----><?p?>2</a><!-- > --> ', '<a>"12"/'],
    ['CDATA as text', '<a>1<![CDATA[<&]]]]><![CDATA[>]]></a>', '<a>"1<&]]>"/'],
    ['the five entities', '<a b="&lt;&apos;">&lt;&gt;&amp;&quot;&apos;</a>', `<a b=<'>"<>&\\"'"/`],
    ['references to characters', '<a>&#65;&#x1F600;&#000000000000000000000000000000000000000000066;</a>', '<a>"A😀B"/'],
    ['line ends as line feeds', '<a>1\r\n2\r3\n4&#13;</a>', '<a>"1\\n2\\n3\\n4\\r"/'],
    ['line ends in attributes as spaces', '<a b="1\r\n2\t3&#10;4"/>', '<a b=1 2 3\n4>/'],
    ['names beyond ASCII', '<größe 名="1"/>', '<größe 名=1>/'],
    ['characters beyond the first plane', '<a>😀 é 漢</a>', '<a>"😀 é 漢"/'],
    ['a byte order mark', '\ufeff<a/>', '<a>/'],
    ['] and > that are no end of CDATA', '<a b="]]>">]] > ]&gt; ></a>', '<a b=]]>>"]] > ]> >"/'],
    ['prefixes as they are', '<a:b c:d="1"/>', '<a:b c:d=1>/'],
  ]
  for (const [what, input, expected] of documents) {
    it(what, () => assert.equal(tokens(input), expected))
  }
})

describe('the tokenizer refuses', () => {
  const malformed: Readonly<Record<string, readonly string[]>> = {
    'a document without a root': ['', ' ', '<!-- -->', '<?p?>'],
    'tags that do not match': ['<a></b>', '<a></ab>', '<ab></a>', '<a><b></a></b>', '</a>', '<a/></a>'],
    'a document that breaks off': ['<a>', '<a', '<a ', '<a b', '<a b=', '<a b="', '<', '<a></a', '<a><b/>', '<a>text'],
    'anything behind the root': ['<a/><b/>', '<a/>x', 'x<a/>', '<a/>&#32;', '<a/><![CDATA[]]>', '<![CDATA[ ]]><a/>'],
    'broken names': ['<1a/>', '<-a/>', '< a/>', '<a><//a>', '<a .b="1"/>', '<a;/>', '<é×/>', '<a/ >'],
    'broken attributes': [
      '<a b/>',
      '<a b=1/>',
      '<a b="1"c="2"/>',
      '<a "b"/>',
      '<a b="<"/>',
      '<a b=\'1"/>',
      '<a b="1" b="2"/>',
    ],
    'broken comments': [
      '<a><!-- -- --></a>',
      '<a><!--></a>',
      '<a><!--->',
      '<!-- ',
      '<a><!-- --',
      '<!-- \u0001 --><a/>',
    ],
    'broken CDATA': ['<a><![CDATA[</a>', '<a><![CDATA[]]</a>', '<a>]]></a>', '<a><![CDATA[\u0008]]></a>'],
    'broken instructions': ['<a><?</a>', '<a><? p?></a>', '<?p <a/>', '<a><?p&?></a>', '<?p \u0001?><a/>'],
    'declarations in the wrong place': [
      ' <?xml version="1.0"?><a/>',
      '<a><?xml version="1.0"?></a>',
      '<?XML version="1.0"?><a/>',
    ],
    'broken declarations': [
      '<?xml?><a/>',
      '<?xml version="2.0"?><a/>',
      '<?xml encoding="utf-8"?><a/>',
      '<?xml version="1.0" <a/>',
    ],
    'characters that XML does not allow': [
      '<a>\u0000</a>',
      '<a>\u000b</a>',
      '<a>\ufffe</a>',
      '<a b="\uffff"/>',
      '<a b="\u001f"/>',
    ],
    'references to such characters': [
      '<a>&#0;</a>',
      '<a>&#x1f;</a>',
      '<a>&#xD800;</a>',
      '<a>&#xFFFF;</a>',
      '<a>&#x110000;</a>',
    ],
    'broken references to characters': [
      '<a>&#;</a>',
      '<a>&#x;</a>',
      '<a>&#12a;</a>',
      '<a>&#xg;</a>',
      '<a>&#X41;</a>',
      '<a>&#-1;</a>',
    ],
  }
  for (const [what, inputs] of Object.entries(malformed)) {
    it(what, () => {
      for (const input of inputs) refuses(input, 'malformed')
    })
  }

  it('any DTD, and with it entities that grow and entities that fetch', () => {
    refuses('<!DOCTYPE a><a/>', 'forbidden')
    refuses('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'forbidden')
    refuses('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'forbidden')
    const laughs = Array.from({ length: 9 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`)
    refuses(`<!DOCTYPE l [<!ENTITY l0 "ha">${laughs.join('')}]><l>&l9;</l>`, 'forbidden')
    refuses('<a><!ELEMENT b ANY></a>', 'forbidden')
    refuses('<a><![INCLUDE[x]]></a>', 'forbidden')
  })

  it('entities other than the five', () => {
    for (const reference of ['&nbsp;', '&l9;', '&constructor;', '&;', '& ', '&', '&AMP;', '&amp', '&amp\u00e9;']) {
      refuses(`<a>${reference}</a>`, 'forbidden')
      refuses(`<a b="${reference}"/>`, 'forbidden')
    }
  })

  it('bytes that are not UTF-8', () => {
    const broken = [
      [0x80],
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xc3],
      [0xff],
    ]
    for (const bytes of broken) {
      refuses(Buffer.concat([Buffer.from('<a>'), Buffer.from(bytes), Buffer.from('</a>')]), 'encoding')
    }
  })

  it('other encodings, by their bytes or by the declaration', () => {
    refuses(Buffer.from('\ufeff<a/>', 'utf16le'), 'encoding')
    refuses(Buffer.from('<a/>', 'utf16le'), 'encoding')
    refuses(Buffer.from('\ufeff<a/>', 'utf16le').swap16(), 'encoding')
    refuses(Buffer.from('<a/>', 'utf16le').swap16(), 'encoding')
    refuses('<?xml version="1.0" encoding="ISO-8859-1"?><a/>', 'encoding')
    refuses('<?xml version="1.0" encoding="UTF-16"?><a/>', 'encoding')
    refuses('<?xml version="1.0" encoding="ascii"?><a>é</a>', 'encoding')
  })

  it('says where', () => {
    assert.throws(() => tokens('<a><b></a>'), { name: 'XmlError', kind: 'malformed', offset: 6 })
    assert.throws(() => tokens(Buffer.from([0x3c, 0x61, 0x3e, 0xff])), { offset: 3 })
  })
})

describe('the tokenizer keeps to its bounds', () => {
  it('of bytes, depth, elements, attributes and names, and reads what just fits', () => {
    refuses('<a>12</a>', 'limit', { maxBytes: 8 })
    assert.equal(tokens('<a>1</a>', { maxBytes: 8 }), '<a>"1"/')
    refuses('<a><b><c/></b></a>', 'limit', { maxDepth: 2 })
    assert.equal(tokens('<a><b/><c/></a>', { maxDepth: 2 }), '<a><b>/<c>//')
    refuses('<a><b/><b/></a>', 'limit', { maxElements: 2 })
    assert.equal(tokens('<a><b/></a>', { maxElements: 2 }), '<a><b>//')
    refuses('<a b="1" c="2"/>', 'limit', { maxAttributes: 1 })
    assert.equal(tokens('<a b="1"/>', { maxAttributes: 1 }), '<a b=1>/')
    refuses('<aaaa/>', 'limit', { maxNameBytes: 3 })
    refuses('<a éé="1"/>', 'limit', { maxNameBytes: 3 })
    assert.equal(tokens('<aaa/>', { maxNameBytes: 3 }), '<aaa>/')
  })

  const million = 500_000
  const hostile: Readonly<Record<string, readonly [input: string, kind: XmlErrorKind | undefined]>> = {
    '100,000 nested elements': ['<a>'.repeat(100_000) + '</a>'.repeat(100_000), 'limit'],
    'half a million elements': [`<a>${'<b/>'.repeat(million)}</a>`, 'limit'],
    'a long list of attributes': [`<a ${Array.from({ length: 100_000 }, (_, i) => `b${i}="1"`).join(' ')}/>`, 'limit'],
    'half a million comments': [`<a>${'<!---->x'.repeat(million)}</a>`, undefined],
    'half a million sections of CDATA': [`<a>${'<![CDATA[x]]>'.repeat(million)}</a>`, undefined],
    'half a million instructions': [`<a>${'<?p?>'.repeat(million)}</a>`, undefined],
    'half a million references': [`<a>${'&#65;&amp;'.repeat(million)}</a>`, undefined],
    'half a million line ends': [`<a b="${'\r\n'.repeat(million)}">${'\r\n'.repeat(million)}</a>`, undefined],
    'a name of megabytes': [`<${'a'.repeat(8 * million)}/>`, 'limit'],
    'half a million stray ampersands': [`<a>${'&'.repeat(million)}</a>`, 'forbidden'],
    'half a million open comments': [`<a>${'<!--'.repeat(million)}</a>`, 'malformed'],
    'half a million open quotes': [`<a ${'b="'.repeat(million)}`, 'malformed'],
    'white space of megabytes': [
      `<a${' '.repeat(4 * million)}>${' '.repeat(4 * million)}</a${' '.repeat(4 * million)}>`,
      undefined,
    ],
    'digits of megabytes': [`<a>&#${'1'.repeat(4 * million)};</a>`, 'malformed'],
  }
  for (const [what, [input, kind]] of Object.entries(hostile)) {
    it(`takes or refuses ${what} quickly`, () => {
      const bytes = Buffer.from(input)
      const start = performance.now()

      if (kind === undefined) tokens(bytes)
      else refuses(bytes, kind)

      assert.ok(performance.now() - start < QUICK_MS)
    })
  }

  it('does not repeat the document in its errors', () => {
    const secret = 'correct-horse-battery-staple'
    for (const input of [
      `<a>&${secret};</a>`,
      `<a></${secret}>`,
      `<a ${secret}/>`,
      `<?xml ${secret}?>`,
      `${secret}<a/>`,
    ]) {
      assert.throws(
        () => tokens(input),
        (error: unknown) => error instanceof XmlError && !error.message.includes('horse'),
      )
    }
  })
})
