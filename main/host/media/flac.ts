import { BinaryReader } from "./binary.ts"
import type { Source } from "./source.ts"

/** What a FLAC's metadata say (RFC 9639, section 8). `block`: samples of a block, where all but the last are alike. */
export type FlacInfo = { rate: number; channels: number; bits: number; samples: number; block: number }

/** Bytes in which a frame is looked for. */
const WINDOW = 2 ** 18
/** Bytes that a header has at most, and bytes of a piece. */
const HEADER = 16
const PIECE = 2 ** 16

function* blocks(file: BinaryReader): Generator<{ type: number; at: number; length: number }> {
  let at = 4
  for (let last = false, count = 0; !last && at + 4 <= file.length && count < 1024; count++) {
    const head = file.bytes(at, 4)
    last = ((head[0] ?? 0) & 0x80) !== 0
    const length = head.readUIntBE(1, 3)
    yield { type: (head[0] ?? 0) & 0x7f, at: at + 4, length }
    at += 4 + length
  }
}

/** The stream's description; undefined where the file does not begin with one. */
export function flacInfo(source: Source): FlacInfo | undefined {
  const file = new BinaryReader(source)
  const b = file.bytes(8, 34)
  if (file.name(0) !== "fLaC" || b.length < 34) return undefined
  return {
    rate: b.readUIntBE(10, 3) >> 4,
    channels: (((b[12] as number) >> 1) & 7) + 1,
    bits: ((((b[12] as number) & 1) << 4) | ((b[13] as number) >> 4)) + 1,
    samples: ((b[13] as number) & 15) * 2 ** 32 + b.readUInt32BE(14),
    block: b.readUInt16BE(2),
  }
}

/** A frame: its first byte in the file, its first sample and how many it has. */
export type FlacFrame = { at: number; sample: number; samples: number }

/** The last frame that begins at or before `sample`, or one not far before it; undefined for the file's beginning. */
export function flacFrameBefore(source: Source, info: FlacInfo, sample: number): FlacFrame | undefined {
  let [low, high]: [FlacFrame | undefined, number] = [undefined, source.length]
  // Halving the file: 40 halves would be a terabyte.
  for (let turn = 0; turn < 40 && high - (low?.at ?? 0) > WINDOW; turn++) {
    const middle = Math.floor(((low?.at ?? 0) + high) / 2)
    const found = frameIn(source, info, middle)
    if (found && found.sample <= sample && found.at > (low?.at ?? 0)) low = found
    else high = middle
  }
  return low
}

/** The first frame from `from` on: two headers in a row, as the bits of one come up by chance (RFC 9639, section 9). */
function frameIn(source: Source, info: FlacInfo, from: number): FlacFrame | undefined {
  const bytes = source.subarray(from, Math.min(source.length, from + WINDOW))
  const waiting = new Map<number, FlacFrame>()
  for (let at = 0; at + HEADER <= bytes.length; at++) {
    const frame = bytes[at] === 0xff && header(bytes, at, info)
    if (!frame) continue
    const before = waiting.get(frame.sample)
    if (before) return { ...before, at: from + before.at }
    waiting.set(frame.sample + frame.samples, frame)
  }
  return undefined
}

/** The header of a frame at a place of `bytes`, checked by its sum. */
function header(bytes: Uint8Array, at: number, info: FlacInfo): FlacFrame | undefined {
  const byte = (i: number) => bytes[at + i] as number
  const [size, rate] = [byte(2) >> 4, byte(2) & 15]
  if ((byte(1) & 0xfe) !== 0xf8 || size === 0 || rate === 15 || byte(3) >> 4 > 10 || byte(3) & 1) return undefined
  // A number as in UTF-8, of up to seven bytes.
  const more = Math.max(0, Math.clz32(~(byte(4) << 24)) - 1)
  if (more > 6) return undefined
  let number = more ? byte(4) & (0x3f >> more) : byte(4)
  for (let i = 0; i < more; i++) number = number * 64 + (byte(5 + i) & 63)
  let end = 5 + more
  const samples =
    size === 1
      ? 192
      : size <= 5
        ? 576 << (size - 2)
        : size >= 8
          ? 256 << (size - 8)
          : size === 6
            ? byte(end) + 1
            : byte(end) * 256 + byte(end + 1) + 1
  end += (size === 6 ? 1 : size === 7 ? 2 : 0) + (rate === 12 ? 1 : rate > 12 ? 2 : 0)
  let sum = 0
  for (let i = 0; i < end; i++) {
    sum ^= byte(i)
    for (let bit = 0; bit < 8; bit++) sum = sum & 128 ? ((sum << 1) ^ 7) & 255 : sum << 1
  }
  if (sum !== byte(end)) return undefined
  return { at, sample: byte(1) & 1 ? number : number * (info.block || samples), samples }
}

/** The beginning of a stream that has nothing but the description that `source` begins with. */
export function flacHead(source: Source): Uint8Array {
  const head = Uint8Array.from(source.subarray(0, 42))
  head[4] = 0x80 // the last block of metadata
  return head
}

/**
 * A stream from the frame at `from` on, in pieces that end before a frame, as the decoder loses one whose header is cut in
 * two; and how many frames begin in each.
 */
export function* flacPieces(
  source: Source,
  info: FlacInfo,
  from: number,
): Generator<{ bytes: Uint8Array; blocks: number }> {
  for (let at = from; at < source.length; ) {
    const bytes = source.subarray(at, Math.min(source.length, at + PIECE))
    let [cut, blocks] = [0, 0]
    for (let i = 1; i + HEADER <= bytes.length; i++) {
      if (bytes[i] !== 0xff || !header(bytes, i, info)) continue
      cut = i
      blocks++
    }
    const end = cut && at + bytes.length < source.length ? cut : bytes.length
    yield { bytes: bytes.subarray(0, end), blocks }
    at += end
  }
}

/** The value of a Vorbis comment; undefined where there is none of that name. */
export function flacComment(source: Source, name: string): string | undefined {
  const file = new BinaryReader(source)
  for (const { type, at, length } of blocks(file)) {
    if (type !== 4) continue
    const data = file.bytes(at, Math.min(length, 2 ** 20))
    const u32 = (place: number) => (place + 4 <= data.length ? data.readUInt32LE(place) : 0)
    let place = 4 + u32(0)
    const count = u32(place)
    place += 4
    for (let i = 0; i < count && place + 4 <= data.length; i++) {
      const text = data.toString("utf8", place + 4, place + 4 + u32(place))
      if (text.startsWith(`${name}=`)) return text.slice(name.length + 1)
      place += 4 + u32(place)
    }
  }
  return undefined
}
