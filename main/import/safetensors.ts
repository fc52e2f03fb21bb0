import { z } from "zod"
import { elementsOf } from "../packs/safetensors.ts"
import { ImportError } from "./error.ts"
import type { FileSource } from "./source.ts"
import { Tensor, widthOf } from "./tensor.ts"

/** Types of numbers by the names of safetensors. */
const STORED = new Map(
  Object.entries({
    F32: "Float",
    F16: "Half",
    BF16: "BFloat16",
    F64: "Double",
    I64: "Long",
    I32: "Int",
    I16: "Short",
    I8: "Char",
    U8: "Byte",
    BOOL: "Bool",
  }),
)
const Header = z.record(z.string(), z.unknown())
const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)).max(8),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
})
const LONGEST_HEADER = 100_000_000

/** Whether it begins as safetensors do: the length of a header, and that of JSON. */
export function isSafetensors(source: FileSource): boolean {
  if (source.size < 10) return false
  const begins = source.read(0, 9)
  return begins[8] === 0x7b && new DataView(begins.buffer).getBigUint64(0, true) <= BigInt(source.size - 8)
}

export function fromSafetensors(source: FileSource): Map<string, Tensor> {
  const length = Number(new DataView(source.read(0, 8).buffer).getBigUint64(0, true))
  if (length > LONGEST_HEADER) throw new ImportError("Its header is too long.")
  let header: unknown
  try {
    header = JSON.parse(Buffer.from(source.read(8, length)).toString("utf8"))
  } catch {}
  const entries = Header.safeParse(header)
  if (!entries.success) throw new ImportError("Its header is not that of safetensors.")
  const tensors = new Map<string, Tensor>()
  for (const [name, value] of Object.entries(entries.data)) {
    if (name === "__metadata__") continue
    const entry = Entry.safeParse(value)
    const type = entry.success ? STORED.get(entry.data.dtype) : undefined
    if (!entry.success || !type)
      throw new ImportError(`Its tensor ${JSON.stringify(name.slice(0, 100))} is of a type that is not supported.`)
    const { shape, data_offsets } = entry.data
    const at = 8 + length + data_offsets[0]
    const storage = { key: "", type, count: (data_offsets[1] - data_offsets[0]) / widthOf({ type }), first: 0 }
    if (elementsOf(shape) !== storage.count || 8 + length + data_offsets[1] > source.size)
      throw new ImportError(`Its tensor ${JSON.stringify(name.slice(0, 100))} is cut.`)
    const stride = shape.map((_, i) => elementsOf(shape.slice(i + 1)))
    tensors.set(name, new Tensor(storage, 0, shape, stride, () => at, source))
  }
  return tensors
}
