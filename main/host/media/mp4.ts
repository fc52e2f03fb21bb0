import { BinaryReader } from "./binary.ts"
import type { Source } from "./source.ts"

/** What an MP4 holds (ISO/IEC 14496-12): a file of boxes, each with its length and its name before it. */

/** Boxes that are looked at, of a file and of one track: a file of nothing but tiny boxes is not walked to its end. */
const MOST_BOXES = 2000
/** Boxes within boxes, as deep as tracks lie. */
const CONTAINERS = ["moov", "trak", "mdia", "minf", "stbl"]

/** Codecs of a file's tracks, by the names of their sample entries, and whether one of them is pictures. */
export type Mp4 = { video: boolean; codecs: string[] }

/** Brands of a file: the one that it is, and those that it can be read as. */
export function mp4Brands(source: Source): string[] | undefined {
  const file = new BinaryReader(source)
  const size = file.u32(0) ?? 0
  if (file.name(4) !== "ftyp" || size < 16 || size > 4096 || size % 4 || size > source.length) return undefined
  const names = file.name(8, size - 8).match(/[\s\S]{4}/g) ?? []
  return names.filter((_, i) => i !== 1) // the second is a version
}

/** The tracks of an MP4 or MOV; without any where its table is damaged or missing. */
export function mp4Tracks(source: Source): Mp4 {
  const file = new BinaryReader(source)
  const found: Mp4 = { video: false, codecs: [] }
  let looked = 0
  const walk = (begin: number, end: number, depth: number) => {
    for (let at = begin; at + 8 <= end && looked < MOST_BOXES; looked++) {
      const short = file.u32(at) ?? 0
      const name = file.name(at + 4)
      const head = short === 1 ? 16 : 8
      const size = short === 0 ? end - at : short === 1 ? (file.u64(at + 8) ?? 0) : short
      if (size < head) return // damaged
      const last = Math.min(end, at + size)
      if (CONTAINERS.includes(name) && depth < CONTAINERS.length) walk(at + head, last, depth + 1)
      if (name === "hdlr" && file.name(at + head + 8) === "vide") found.video = true
      if (name === "stsd" && last - at >= head + 16) found.codecs.push(file.name(at + head + 12))
      at += size
    }
  }
  walk(0, source.length, 0)
  return found
}
