import { BinaryReader } from "./binary.ts"
import { MOST_BITMAP_PIXELS } from "./limits.ts"
import { PictureProblem } from "./picture-problem.ts"

/** Windows and OS/2 bitmaps (BMP), with every depth, palette and compression that Windows itself shows. */

/** How a bitmap's pixels are stored: BITMAPINFOHEADER's biCompression. */
const RGB = 0
const RLE8 = 1
const RLE4 = 2
const BITFIELDS = 3
const ALPHA_BITFIELDS = 6

/** Rows from the top, three bytes a pixel, and which pixels a run-length bitmap left out. */
export type Bitmap = { width: number; height: number; data: Uint8Array }

/** Decodes a bitmap. @throws Error whose message is a clause for a person */
export function decodeBitmap(bytes: Uint8Array): Bitmap {
  const file = new BinaryReader(bytes, true)
  const size = file.u32(14) ?? 0
  const isCore = size === 12
  const signed = (value: number | undefined) => (value ?? 0) | 0
  const width = isCore ? (file.u16(18) ?? 0) : signed(file.u32(18))
  const rows = isCore ? (file.u16(20) ?? 0) : signed(file.u32(22))
  const depth = (isCore ? file.u16(24) : file.u16(28)) ?? 0
  const compression = isCore ? RGB : (file.u32(30) ?? 0)
  const height = Math.abs(rows)
  if (width <= 0 || height === 0) throw new PictureProblem("it says that it has no pixels")
  if (width * height > MOST_BITMAP_PIXELS) throw new PictureProblem("it has too many pixels")
  if (compression > BITFIELDS && compression !== ALPHA_BITFIELDS)
    throw new PictureProblem("its pixels are compressed in another form")
  const bitmap = { width, height, data: new Uint8Array(width * height * 3) }
  const masksAt = 54
  const hasMasks = compression === BITFIELDS || compression === ALPHA_BITFIELDS
  const colorsAt = 14 + size + (hasMasks && size === 40 ? (compression === BITFIELDS ? 12 : 16) : 0)
  const at = Math.max(file.u32(10) ?? 0, 14 + size)
  if (at >= bytes.length) throw new PictureProblem("it is cut off before its pixels")
  // Rows lie from the bottom up, where the height is not negative.
  const rowAt = (y: number) => (rows < 0 ? y : height - 1 - y)
  if (depth <= 8) {
    if (![1, 2, 4, 8].includes(depth)) throw new PictureProblem(`its depth of ${depth} bits is not one of a bitmap`)
    const palette = paletteOf(file, colorsAt, at, depth, isCore)
    if (compression === RLE8 || compression === RLE4) runs(bytes.subarray(at), bitmap, palette, compression === RLE4)
    else indexed(bytes.subarray(at), bitmap, palette, depth, rowAt)
  } else {
    const masks = masksOf(file, depth, hasMasks, masksAt)
    direct(bytes.subarray(at), bitmap, depth, masks, rowAt)
  }
  return bitmap
}

type Palette = { colors: Uint8Array; count: number }

/** Colors as R, G, B; the file has B, G, R and, but for OS/2, a byte more. */
function paletteOf(file: BinaryReader, at: number, pixelsAt: number, depth: number, isCore: boolean): Palette {
  const entry = isCore ? 3 : 4
  const said = isCore ? 0 : (file.u32(46) ?? 0)
  const room = Math.max(0, Math.floor((pixelsAt - at) / entry))
  const count = Math.min(said || 2 ** depth, room, 256)
  const raw = file.bytes(at, count * entry)
  const colors = new Uint8Array(256 * 3)
  for (let i = 0; i < Math.floor(raw.length / entry); i++)
    colors.set([raw[i * entry + 2] ?? 0, raw[i * entry + 1] ?? 0, raw[i * entry] ?? 0], 3 * i)
  return { colors, count }
}

const put = ({ width, data }: Bitmap, x: number, y: number, { colors }: Palette, index: number) => {
  const to = 3 * (y * width + x)
  for (let c = 0; c < 3; c++) data[to + c] = colors[3 * index + c] as number
}

/** What is cut off at the end stays black, as viewers show it, if at least half is there. */
function assertMostIsThere(there: number, wanted: number): void {
  if (there < wanted / 2) throw new PictureProblem("it is cut off")
}

function indexed(pixels: Uint8Array, bitmap: Bitmap, palette: Palette, depth: number, rowAt: (y: number) => number) {
  const stride = Math.ceil((bitmap.width * depth) / 32) * 4
  assertMostIsThere(pixels.length, stride * bitmap.height)
  const mask = 2 ** depth - 1
  for (let y = 0; y < bitmap.height; y++)
    for (let x = 0; x < bitmap.width; x++) {
      const byte = pixels[y * stride + ((x * depth) >> 3)] ?? 0
      put(bitmap, x, rowAt(y), palette, (byte >> (8 - depth - ((x * depth) & 7))) & mask)
    }
}

/** Runs of one index, or of two in turn with 4 bits: always from the bottom up. What they leave out is index 0. */
function runs(codes: Uint8Array, bitmap: Bitmap, palette: Palette, isHalf: boolean): void {
  const { width, height } = bitmap
  for (let i = 0; i < width * height; i++) put(bitmap, i % width, Math.floor(i / width), palette, 0)
  let [x, y] = [0, 0]
  const set = (index: number) => {
    if (x < width && y < height) put(bitmap, x, height - 1 - y, palette, index)
    x++
  }
  for (let at = 0; at + 1 < codes.length && y < height; ) {
    const [count, value] = [codes[at] as number, codes[at + 1] as number]
    at += 2
    if (count) for (let i = 0; i < count; i++) set(isHalf ? (i % 2 ? value & 15 : value >> 4) : value)
    else if (value === 0) {
      x = 0
      y++
    } else if (value === 1) return
    else if (value === 2) {
      x += codes[at] ?? 0
      y += codes[at + 1] ?? 0
      at += 2
    } else {
      for (let i = 0; i < value; i++) {
        const byte = codes[at + (isHalf ? i >> 1 : i)] ?? 0
        set(isHalf ? (i % 2 ? byte & 15 : byte >> 4) : byte)
      }
      const length = isHalf ? Math.ceil(value / 2) : value
      at += length + (length % 2)
    }
  }
}

/** Where the bits of red, green and blue lie. */
type Masks = [number, number, number]

function masksOf(file: BinaryReader, depth: number, hasMasks: boolean, at: number): Masks {
  if (hasMasks) return [file.u32(at) ?? 0, file.u32(at + 4) ?? 0, file.u32(at + 8) ?? 0]
  if (depth === 16) return [0x7c00, 0x3e0, 0x1f]
  if (depth === 24 || depth === 32) return [0xff0000, 0xff00, 0xff]
  throw new PictureProblem(`its depth of ${depth} bits is not one of a bitmap`)
}

function direct(pixels: Uint8Array, bitmap: Bitmap, depth: number, masks: Masks, rowAt: (y: number) => number): void {
  if (![16, 24, 32].includes(depth)) throw new PictureProblem(`its depth of ${depth} bits is not one of a bitmap`)
  const width = depth / 8
  const stride = Math.ceil((bitmap.width * depth) / 32) * 4
  assertMostIsThere(pixels.length, stride * bitmap.height)
  const channels = masks.map((mask) => {
    const shift = mask ? 31 - Math.clz32(mask & -mask) : 0
    return { mask: mask >>> 0, shift, most: mask ? (mask >>> 0) / 2 ** shift : 1 }
  })
  for (let y = 0; y < bitmap.height; y++)
    for (let x = 0; x < bitmap.width; x++) {
      const from = y * stride + x * width
      let value = 0
      for (let b = width - 1; b >= 0; b--) value = value * 256 + (pixels[from + b] ?? 0)
      const to = 3 * (rowAt(y) * bitmap.width + x)
      channels.forEach(({ mask, shift, most }, c) => {
        const bits = ((value & mask) >>> 0) / 2 ** shift
        bitmap.data[to + c] = Math.round((255 * bits) / most)
      })
    }
}
