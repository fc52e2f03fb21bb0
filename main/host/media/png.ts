import { crc32, deflateSync } from "node:zlib"

/** PNG of indexed pictures (W3C, Portable Network Graphics, third edition) with exactly the palette they are made of. */

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1")

export type IndexedPicture = { indices: Uint8Array; width: number; height: number }

/**
 * @param colors "#rrggbb" by index, at most 256; `clear` ones are transparent
 * @param enlarge how often every pixel is repeated each way
 * @param xmp metadata as an XMP packet
 */
export function encodeIndexed(
  { indices, width, height }: IndexedPicture,
  colors: { color: string; clear: boolean }[],
  enlarge = 1,
  xmp?: string,
): Buffer {
  const [w, h] = [width * enlarge, height * enlarge]
  const rows = Buffer.alloc((w + 1) * h) // each begins with its filter: none, which suits indices best
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      rows[y * (w + 1) + 1 + x] = indices[Math.floor(y / enlarge) * width + Math.floor(x / enlarge)] as number
  const header = Buffer.alloc(13)
  header.writeUInt32BE(w, 0)
  header.writeUInt32BE(h, 4)
  header.set([8, 3, 0, 0, 0], 8) // 8 bits, an index a pixel, deflate, adaptive filters, not interlaced
  const alphas = colors.map(({ clear }) => (clear ? 0 : 255))
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    ...(xmp ? [chunk("iTXt", Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`))] : []),
    chunk("PLTE", Buffer.from(colors.map(({ color }) => color.slice(1)).join(""), "hex")),
    ...(alphas.includes(0) ? [chunk("tRNS", Buffer.from(alphas.slice(0, alphas.lastIndexOf(0) + 1)))] : []),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
