/** Writes an Ogg stream (RFC 3533) of packets that came in another container, for decoders that read Ogg. */

/** Ogg's CRC: polynomial 0x04c11db7, not reflected, begun with 0. */
const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  let r = i << 24
  for (let bit = 0; bit < 8; bit++) r = r & 0x80000000 ? (r << 1) ^ 0x04c11db7 : r << 1
  return r >>> 0
})
function crc(page: Buffer): number {
  let sum = 0
  for (const byte of page) sum = ((sum << 8) ^ (CRC[((sum >>> 24) ^ byte) & 0xff] as number)) >>> 0
  return sum
}

/** Bytes that one page holds. */
const LARGEST_PAGE = 255 * 255

/** Puts packets into pages, one packet a page and more pages for a long one. */
export class OggWriter {
  private sequence = 0

  /**
   * The pages of one packet.
   * @param granule number of samples up to its end
   */
  packet(data: Buffer, granule: number): Buffer {
    const pages: Buffer[] = []
    for (let at = 0; at <= data.length; at += LARGEST_PAGE) {
      const piece = data.subarray(at, at + LARGEST_PAGE)
      const ends = piece.length < LARGEST_PAGE
      // Lengths of 255 and a last one below it; a full page goes on in the next.
      const segments = [
        ...Array<number>(Math.floor(piece.length / 255)).fill(255),
        ...(ends ? [piece.length % 255] : []),
      ]
      const head = Buffer.alloc(27 + segments.length)
      head.write("OggS", 0, "latin1")
      head[5] = (at > 0 ? 1 : 0) | (this.sequence === 0 ? 2 : 0)
      head.writeBigInt64LE(ends ? BigInt(granule) : -1n, 6)
      head.writeUInt32LE(1, 14)
      head.writeUInt32LE(this.sequence++, 18)
      head[26] = segments.length
      head.set(segments, 27)
      const page = Buffer.concat([head, piece])
      page.writeUInt32LE(crc(page), 22)
      pages.push(page)
    }
    return Buffer.concat(pages)
  }
}

/** Samples of an Opus packet at 48 kHz (RFC 6716, section 3.1). */
export function opusSamples(packet: Uint8Array): number {
  const [first = 0, second = 0] = packet
  const config = first >> 3
  const frame =
    config < 12
      ? ([480, 960, 1920, 2880][config & 3] as number)
      : config < 16
        ? 480 << (config & 1)
        : 120 << (config & 3)
  const code = first & 3
  const frames = code === 0 ? 1 : code === 3 ? second & 63 : 2
  return frame * frames
}
