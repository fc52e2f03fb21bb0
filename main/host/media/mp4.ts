import type { Source } from "./source.ts"

/** Where things lie in an MP4 (ISO/IEC 14496-12): a file of boxes, each with its length and its name before it. */

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

/** Whether a file is an MP4, M4A or MOV, by its first bytes. */
export const isMp4 = (file: Source) => text(file.subarray(4, 8)) === "ftyp"

/** The first box of that name on the top level. */
function find(file: Source, name: string): { begin: number; end: number } | undefined {
  for (let begin = 0; begin + 8 <= file.length; ) {
    const head = Buffer.from(file.subarray(begin, begin + 16))
    const short = head.readUInt32BE(0)
    const size = short === 1 && head.length === 16 ? Number(head.readBigUInt64BE(8)) : short
    const end = size === 0 ? file.length : begin + size
    if (text(head.subarray(4, 8)) === name) return { begin, end: Math.min(end, file.length) }
    if (end < begin + 8) return undefined // damaged
    begin = end
  }
  return undefined
}

/** Whether one of its tracks is pictures. */
export function hasPictures(file: Source): boolean {
  const table = find(file, "moov")
  return table !== undefined && text(file.subarray(table.begin, table.end)).includes("vide")
}

/**
 * The same file with its table of samples before the samples: where it lies at the end, as many programs leave it, a
 * decoder would have to hold the whole file until it comes.
 */
export function tableFirst(file: Source): Source {
  const [table, samples] = [find(file, "moov"), find(file, "mdat")]
  if (!table || !samples || table.begin < samples.begin) return file
  const moved = Buffer.from(file.subarray(table.begin, table.end))
  moveChunks(moved, moved.length)
  const [begin, end] = [samples.begin, samples.begin + moved.length]
  return {
    length: file.length + moved.length,
    subarray: (from, to) =>
      Buffer.concat([
        file.subarray(Math.min(from, begin), Math.min(to, begin)),
        moved.subarray(Math.max(0, from - begin), Math.max(0, to - begin)),
        file.subarray(Math.max(from, end) - moved.length, Math.max(to, end) - moved.length),
      ]),
  }
}

/** Adds `by` to the places of all chunks of samples (sections 8.7.5: stco, co64) in these boxes. */
function moveChunks(boxes: Buffer, by: number): void {
  for (let at = 0; at + 8 <= boxes.length; ) {
    const size = boxes.readUInt32BE(at)
    const name = text(boxes.subarray(at + 4, at + 8))
    const inside = boxes.subarray(at + 8, at + size)
    if (["moov", "trak", "mdia", "minf", "stbl"].includes(name)) moveChunks(inside, by)
    if (name === "stco")
      for (let i = 8; i + 4 <= inside.length; i += 4) inside.writeUInt32BE(inside.readUInt32BE(i) + by, i)
    if (name === "co64")
      for (let i = 8; i + 8 <= inside.length; i += 8) inside.writeBigUInt64BE(inside.readBigUInt64BE(i) + BigInt(by), i)
    if (size < 8) return // damaged
    at += size
  }
}
