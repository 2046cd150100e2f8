import { writeFile } from 'node:fs/promises'

/**
 * In 16 bits: mode 13h of the VGA, all of whose pixels get colour 2 of its palette; then nothing, for ever.
 *
 *     mov ax, 0x0013     int 0x10
 *     mov ax, 0xa000     mov es, ax     xor di, di     cld
 *     mov cx, 64000      mov al, 2      rep stosb
 *     hlt                jmp $-1
 */
const CODE = 'b81300cd10b800a08ec031fffcb900fab002f3aaf4ebfd'
const SECTOR_BYTES = 512
const SIGNATURE = 0xaa55
const IMAGE_BYTES = 1_048_576

/** What the whole screen of the guest has: red, green and blue in hexadecimal. The palette of VGA has six bits of each, which QEMU shifts. */
export const PAINT = '00a800'

/** A raw disk image that boots a guest which paints its screen in one colour. */
export async function writePainter(path: string): Promise<void> {
  const image = Buffer.alloc(IMAGE_BYTES)
  image.write(CODE, 'hex')
  image.writeUInt16LE(SIGNATURE, SECTOR_BYTES - 2)
  await writeFile(path, image)
}
