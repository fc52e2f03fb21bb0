import { ImportError } from "./error.ts"
import type { FileSource } from "./source.ts"

/** Where a stored file of an archive lies, its local header before it. */
export type ZipEntry = { header: number; size: number; stored: boolean }

const MOST_ENTRIES = 100_000
const LONGEST_DIRECTORY = 64 * 2 ** 20

/**
 * The directory of a zip archive, with the 64-bit fields that large ones have.
 * @throws ImportError where it is not consistent
 */
export function readZip(source: FileSource): Map<string, ZipEntry> {
  const { offset, size, count } = directory(source)
  if (count > MOST_ENTRIES || size > LONGEST_DIRECTORY) throw damaged("its directory is too large")
  const bytes = source.read(offset, size)
  const view = new DataView(bytes.buffer)
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50) throw damaged("its directory is cut")
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true))
    const nameEnd = at + 46 + (nameLength as number)
    const extraEnd = nameEnd + (extraLength as number)
    if (extraEnd > size) throw damaged("its directory is cut")
    const name = Buffer.from(bytes.subarray(at + 46, nameEnd)).toString("utf8")
    const [packed, plain, header] = large(view, nameEnd, extraEnd, [
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
      view.getUint32(at + 42, true),
    ])
    const stored = view.getUint16(at + 10, true) === 0 && packed === plain && !(view.getUint16(at + 8, true) & 1)
    entries.set(name, { header: header as number, size: plain as number, stored })
    at = extraEnd + (commentLength as number)
  }
  return entries
}

/** Where an entry's bytes begin. @throws ImportError where it is compressed or lies outside of the file */
export function zipData(source: FileSource, name: string, { header, size, stored }: ZipEntry): number {
  if (!stored) throw damaged(`${name} in it is compressed, which PyTorch never does`)
  const local = source.read(header, 30)
  const view = new DataView(local.buffer)
  if (view.getUint32(0, true) !== 0x04034b50) throw damaged(`${name} in it has no header`)
  const at = header + 30 + view.getUint16(26, true) + view.getUint16(28, true)
  if (at + size > source.size) throw damaged(`${name} in it reaches past the end`)
  return at
}

/** Offset, size and entries of the central directory. */
function directory(source: FileSource): { offset: number; size: number; count: number } {
  const length = Math.min(source.size, 22 + 65535)
  const from = source.size - length
  const bytes = source.read(from, length)
  const view = new DataView(bytes.buffer)
  let end = length - 22
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--
  if (end < 0) throw damaged("its directory is missing; was the download cut?")
  const found = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  }
  const at = end - 20
  if (at < 0 || view.getUint32(at, true) !== 0x07064b50) return within(found, source)
  const record = source.read(safe(view.getBigUint64(at + 8, true)), 56)
  const wide = new DataView(record.buffer)
  if (wide.getUint32(0, true) !== 0x06064b50) throw damaged("its directory is missing; was the download cut?")
  const [count, size, offset] = [32, 40, 48].map((field) => safe(wide.getBigUint64(field, true)))
  return within({ count: count as number, size: size as number, offset: offset as number }, source)
}

function within<T extends { offset: number; size: number }>(found: T, source: FileSource): T {
  if (found.offset + found.size > source.size) throw damaged("its directory reaches past the end")
  return found
}

/** The three 32-bit fields, those that are full replaced from the 64-bit extra field. */
function large(view: DataView, from: number, to: number, fields: number[]): number[] {
  for (let at = from; at + 4 <= to; ) {
    const [kind, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
    let next = at + 4
    at = next + length
    if (kind !== 1 || at > to) continue
    return fields.map((value) => {
      if (value !== 0xffffffff || next + 8 > at) return value
      next += 8
      return safe(view.getBigUint64(next - 8, true))
    })
  }
  return fields
}

function safe(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) throw damaged("a size in it is not possible")
  return Number(value)
}

const damaged = (why: string) => new ImportError(`It is a damaged archive: ${why}.`)
