import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { z } from "zod"
import { PackError } from "./error.ts"

const widths = { F32: 4, F16: 2, I8: 1 } as const
const Entry = z.object({
  dtype: z.enum(["F32", "F16", "I8"], { error: "is of a type that packs do not use (F32, F16, I8)" }),
  shape: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 31),
    )
    .max(8),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
})

/** One stored tensor: `data` is a view of the file's bytes, row-major. */
export type StoredTensor = { dtype: keyof typeof widths; shape: number[]; data: Uint8Array }

/** How many numbers a tensor of this shape has. */
export const elementsOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/**
 * Reads a safetensors file (8 bytes of header length, JSON header, tensors end to end) and trusts nothing in it.
 * @throws PackError when lengths, types, shapes or offsets are not consistent.
 */
export function readSafetensors(path: string): Map<string, StoredTensor> {
  return parseSafetensors(readWeights(path), path)
}

/** Bytes that are read or hashed at once: Node takes less than 2 GiB. */
export const PIECE = 2 ** 30

/** The bytes of a weights file, which may be larger than what Node reads at once. @throws PackError */
export function readWeights(path: string, piece = PIECE): Uint8Array {
  let opened: number | undefined
  try {
    opened = openSync(path, "r")
    const bytes = new Uint8Array(fstatSync(opened).size)
    let [read, got] = [0, 1]
    for (; read < bytes.length && got; read += got) {
      got = readSync(opened, bytes, read, Math.min(piece, bytes.length - read), read)
    }
    return bytes.subarray(0, read)
  } catch (error) {
    throw new PackError(`The weights ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  } finally {
    if (opened !== undefined) closeSync(opened)
  }
}

/** `readSafetensors` on bytes; `path` is for messages alone. */
export function parseSafetensors(file: Uint8Array, path: string): Map<string, StoredTensor> {
  const bad = (why: string) => new PackError(`The weights ${path} are damaged: ${why}.`)
  if (file.length < 8) throw bad("the file is shorter than its header")
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
  if (length > BigInt(file.length - 8) || length > 100_000_000n) throw bad("the header reaches past the end")
  const start = 8 + Number(length)
  let header: Record<string, unknown>
  try {
    header = z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(file.subarray(8, start)).toString("utf8")))
  } catch {
    throw bad("the header is not JSON")
  }
  const tensors = new Map<string, StoredTensor>()
  const spans: { name: string; from: number; to: number }[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue
    const entry = Entry.safeParse(value)
    if (!entry.success) throw bad(`tensor "${name}" ${entry.error.issues[0]?.message ?? "has no valid entry"}`)
    const { dtype, shape, data_offsets } = entry.data
    const [from, to] = data_offsets
    if (to < from || start + to > file.length) throw bad(`tensor "${name}" reaches past the end`)
    if (elementsOf(shape) * widths[dtype] !== to - from)
      throw bad(`tensor "${name}" has not the size that its shape says`)
    spans.push({ name, from, to })
    tensors.set(name, { dtype, shape, data: file.subarray(start + from, start + to) })
  }
  spans.sort((a, b) => a.from - b.from || a.to - b.to)
  let end = 0
  for (const { name, from, to } of spans) {
    if (from < end) throw bad(`tensor "${name}" overlaps another one`)
    if (from > end) throw bad(`there is a gap before tensor "${name}"`)
    end = to
  }
  if (start + end !== file.length) throw bad("there are bytes after the last tensor")
  return tensors
}
