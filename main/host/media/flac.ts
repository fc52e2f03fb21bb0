import { BinaryReader } from "./binary.ts"
import type { Source } from "./source.ts"

/** What a FLAC's metadata say (RFC 9639, section 8). */
export type FlacInfo = { rate: number; channels: number; bits: number; samples: number }

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
