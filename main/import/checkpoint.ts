import { z } from "zod"
import { fromHalf } from "../engine/float16.ts"
import { elementsOf } from "../packs/safetensors.ts"
import { ImportError } from "./error.ts"
import { Global, Inert, type Resolver, unpickle } from "./pickle.ts"
import { FileSource } from "./source.ts"
import { readZip, zipData } from "./zip.ts"

/** Numbers that tensors look at, somewhere in the file. */
export type Storage = { key: string; type: string; count: number; first: number }

/** A tensor of a checkpoint: a view of a storage, read when asked for. */
export class Tensor {
  constructor(
    private readonly storage: Storage,
    private readonly offset: number,
    readonly shape: readonly number[],
    private readonly stride: readonly number[],
    private readonly locate: (key: string) => number,
    private readonly source: FileSource,
  ) {}

  get count(): number {
    return elementsOf(this.shape)
  }

  /** fp32 values, row-major, whatever the order in the file. @throws ImportError where it lies outside of its storage */
  read(): Float32Array {
    const { shape, stride, storage, count } = this
    if (!count) return new Float32Array()
    const last = shape.reduce((sum, length, i) => sum + (length - 1) * (stride[i] as number), 0)
    if (this.offset + last >= storage.count) throw new ImportError("One of its tensors reaches past its numbers.")
    if (count > Math.max(storage.count, MOST_REPEATED)) throw new ImportError("One of its tensors repeats its numbers.")
    const { width, decode } = types[storage.type] as ElementType
    const at = this.locate(storage.key) + (storage.first + this.offset) * width
    const values = decode(this.source.read(at, (last + 1) * width).buffer)
    return isContiguous(shape, stride) ? values : inOrder(values, shape, stride, count)
  }
}

/** What a file held: values with tensors in them. `close` it when they are read. */
export type Checkpoint = { value: unknown; close(): void }

type ElementType = { width: number; decode(data: ArrayBuffer): Float32Array }

const types: Record<string, ElementType> = {
  Float: { width: 4, decode: (data) => new Float32Array(data) },
  Half: { width: 2, decode: (data) => fromHalf(new Uint16Array(data)) },
  BFloat16: { width: 2, decode: (data) => fromBrain(new Uint16Array(data)) },
  Double: { width: 8, decode: (data) => Float32Array.from(new Float64Array(data)) },
  Long: { width: 8, decode: (data) => Float32Array.from(new BigInt64Array(data), Number) },
  Int: { width: 4, decode: (data) => Float32Array.from(new Int32Array(data)) },
  Short: { width: 2, decode: (data) => Float32Array.from(new Int16Array(data)) },
  Char: { width: 1, decode: (data) => Float32Array.from(new Int8Array(data)) },
  Byte: { width: 1, decode: (data) => Float32Array.from(new Uint8Array(data)) },
  Bool: { width: 1, decode: (data) => Float32Array.from(new Uint8Array(data)) },
}

/** Numbers of a tensor that says the same ones over and over, at most. */
const MOST_REPEATED = 2 ** 20
const LONGEST_PICKLE = 64 * 2 ** 20
const MOST_ELEMENTS = 2 ** 40
/** What torch.save wrote first before it wrote archives. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn

/** Names besides storages that stand for data of Python, PyTorch and numpy; and modules, whose classes hold weights. */
const DATA = new Set([
  "collections.OrderedDict",
  "collections.defaultdict",
  "collections.Counter",
  "__builtin__.set",
  "builtins.set",
  "__builtin__.frozenset",
  "builtins.frozenset",
  "__builtin__.slice",
  "builtins.slice",
  "builtins.int",
  "builtins.float",
  "builtins.list",
  "builtins.dict",
  "builtins.complex",
  "builtins.bytearray",
  "_codecs.encode",
  "argparse.Namespace",
  "types.SimpleNamespace",
  "pathlib.PosixPath",
  "pathlib.WindowsPath",
  "numpy.dtype",
  "numpy.ndarray",
  "numpy.core.multiarray.scalar",
  "numpy._core.multiarray.scalar",
  "numpy.core.multiarray._reconstruct",
  "numpy._core.multiarray._reconstruct",
  "torch.Size",
  "torch.device",
  "torch.Tensor",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
  "torch._utils._rebuild_parameter_with_state",
  "torch.serialization._get_layout",
])
const DTYPE = /^torch\.(float|bfloat|complex|u?int|q?u?int|bool|half|double|long|short)[0-9]*$/
const MODULES =
  /^(torch\.nn\.modules\.[a-z]+|torch\.nn\.parameter|MEGABYTE_pytorch\.(megabyte|attend)|einops\.layers(\.[a-z_]+)?)\.[A-Za-z_]\w*$/
const STORAGE = /^torch\.(cuda\.)?([A-Z]\w+)Storage$/

const allows = (name: string) => DATA.has(name) || DTYPE.test(name) || STORAGE.test(name) || MODULES.test(name)

/**
 * Reads safetensors, or what torch.save wrote: an archive or, before PyTorch 1.6, pickles one after the other. Nothing in it is
 * run.
 * @throws ImportError with a line for a person
 */
export function openCheckpoint(path: string): Checkpoint {
  const source = FileSource.open(path)
  try {
    const isZip = source.size > 3 && Buffer.from(source.read(0, 4)).equals(Buffer.from("PK\x03\x04", "latin1"))
    const value = isZip ? fromArchive(source) : isSafetensors(source) ? fromSafetensors(source) : fromPickles(source)
    return { value, close: () => source.close() }
  } catch (error) {
    source.close()
    throw error
  }
}

function fromArchive(source: FileSource): unknown {
  const entries = readZip(source)
  const name = [...entries.keys()].find((entry) => /^[^/]+\/data\.pkl$/.test(entry))
  if (!name) throw new ImportError("It is an archive without weights of PyTorch (no data.pkl).")
  const folder = name.slice(0, -"data.pkl".length)
  const entryOf = (file: string) => {
    const entry = entries.get(folder + file)
    if (!entry) throw new ImportError(`It lacks ${JSON.stringify(file.slice(0, 100))}.`)
    return { at: zipData(source, file, entry), size: entry.size }
  }
  if (entries.has(`${folder}constants.pkl`))
    throw new ImportError("It is a TorchScript program, not weights; save its state_dict instead.")
  if (entries.has(`${folder}byteorder`)) {
    const { at, size } = entryOf("byteorder")
    if (Buffer.from(source.read(at, Math.min(size, 16))).toString("latin1") !== "little")
      throw new ImportError("Its numbers are big-endian, which is not supported.")
  }
  const { at, size } = entryOf("data.pkl")
  if (size > LONGEST_PICKLE) throw new ImportError("Its pickle is too long; nothing was opened.")
  const sizes = new Map<string, number>()
  const locate = (key: string) => entryOf(`data/${key}`).at
  return unpickle(
    source.read(at, size),
    resolver(source, locate, (storage) => {
      const held = sizes.get(storage.key) ?? entryOf(`data/${storage.key}`).size
      sizes.set(storage.key, held)
      if (storage.count * widthOf(storage) > held) throw new ImportError("One of its storages is cut.")
    }),
  ).value
}

function fromPickles(source: FileSource): unknown {
  const bytes = source.read(0, Math.min(source.size, LONGEST_PICKLE))
  const places = new Map<string, number>()
  const storages = new Map<string, Storage>()
  const locate = (key: string) => {
    const at = places.get(key)
    if (at === undefined) throw new ImportError("One of its storages is missing.")
    return at
  }
  const data = resolver(source, locate, (storage) => {
    const known = storages.get(storage.key)
    if (known && known.type !== storage.type) throw new ImportError("One of its storages is of two types.")
    if (!known) storages.set(storage.key, storage)
  })
  let end = 0
  const next = () => {
    const read = unpickle(bytes.subarray(end), data)
    end += read.end
    return read.value
  }
  const isPickle = bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2
  if (!isPickle || next() !== LEGACY_MAGIC)
    throw new ImportError("It is neither of PyTorch (.pt, .pth) nor safetensors.")
  next() // the protocol's version
  const system = next()
  if (system instanceof Map && system.get("little_endian") === false)
    throw new ImportError("Its numbers are big-endian, which is not supported.")
  const value = next()
  const keys = next()
  if (!Array.isArray(keys)) throw new ImportError("It ends before its numbers.")
  for (const key of keys) {
    const storage = storages.get(String(key))
    if (!storage) throw new ImportError("One of its storages is of no tensor.")
    const count = Number(new DataView(source.read(end, 8).buffer).getBigInt64(0, true))
    places.set(storage.key, end + 8)
    end += 8 + count * widthOf(storage)
    if (count < 0 || end > source.size) throw new ImportError("It ends before its numbers.")
  }
  return value
}

const widthOf = ({ type }: Pick<Storage, "type">) => (types[type] as ElementType).width

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
function isSafetensors(source: FileSource): boolean {
  if (source.size < 10) return false
  const begins = source.read(0, 9)
  return begins[8] === 0x7b && new DataView(begins.buffer).getBigUint64(0, true) <= BigInt(source.size - 8)
}

function fromSafetensors(source: FileSource): Map<string, Tensor> {
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

/** What a checkpoint's pickle may name and what that stands for. `found` is told every storage. */
function resolver(source: FileSource, locate: (key: string) => number, found: (storage: Storage) => void): Resolver {
  return {
    allows,
    call(name, args) {
      if (name === "collections.OrderedDict") return ordered(args[0])
      if (name.startsWith("torch._utils._rebuild_parameter")) return args[0]
      if (name === "torch._utils._rebuild_tensor" || name === "torch._utils._rebuild_tensor_v2") {
        const [storage, offset, shape, stride] = args
        if (
          !isStorage(storage) ||
          !isSize(offset) ||
          !areSizes(shape) ||
          !areSizes(stride) ||
          shape.length !== stride.length
        )
          throw new ImportError("One of its tensors is not described as PyTorch does.")
        return new Tensor(storage, offset, shape, stride, locate, source)
      }
      if (name === "torch.Size" && Array.isArray(args[0])) return args[0]
      return undefined
    },
    persistent(id) {
      const [kind, type, key, , count, part] = Array.isArray(id) ? id : []
      if (kind === "module") return type // the source of a class, which is not looked at
      const named = type instanceof Global ? STORAGE.exec(type.name)?.[2] : undefined
      if (kind !== "storage" || !named || typeof key !== "string" || !isSize(count))
        throw new ImportError("It refers to something outside of itself.")
      if (!types[named])
        throw new ImportError(`Its numbers are of a type that is not supported (${named.slice(0, 40)}).`)
      const storage = { key, type: named, count, first: 0 }
      found(storage)
      if (!Array.isArray(part)) return storage
      const [, first, length] = part
      if (!isSize(first) || !isSize(length) || first + length > count)
        throw new ImportError("One of its storages is cut.")
      return { ...storage, first, count: length }
    },
  }
}

const isStorage = (value: unknown): value is Storage =>
  typeof value === "object" && value !== null && "key" in value && "type" in value && "first" in value
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const areSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 8 && value.every(isSize) && elementsOf(value) < MOST_ELEMENTS

function ordered(items: unknown): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  if (Array.isArray(items)) for (const item of items) if (Array.isArray(item)) map.set(item[0], item[1])
  return map
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false
    expected *= shape[i] as number
  }
  return true
}

/** The numbers of a view in the order of its indices. */
function inOrder(
  values: Float32Array,
  shape: readonly number[],
  stride: readonly number[],
  count: number,
): Float32Array {
  const out = new Float32Array(count)
  const index = new Array<number>(shape.length).fill(0)
  let at = 0
  for (let i = 0; i < count; i++) {
    out[i] = values[at] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const step = stride[axis] as number
      at += step
      index[axis] = (index[axis] as number) + 1
      if ((index[axis] as number) < (shape[axis] as number)) break
      at -= step * (shape[axis] as number)
      index[axis] = 0
    }
  }
  return out
}

/** bfloat16 bits -> numbers: the upper half of fp32. */
function fromBrain(bits: Uint16Array): Float32Array {
  const wide = Uint32Array.from(bits, (b) => b << 16)
  return new Float32Array(wide.buffer)
}

/** How deep values are looked into for tensors. */
const DEEPEST = 32
const MOST_VALUES = 1_000_000
const MOST_MODULES = 100_000

/** Tensors by their names, and the module that they are the parameters of, where one was saved whole. */
export type Named = { tensors: Map<string, Tensor>; module?: Inert }

/** All that could be a model's weights in a checkpoint's value: the outermost first. */
export function namedTensors(value: unknown): Named[] {
  const found: Named[] = []
  const seen = new Set<unknown>()
  let level = [value]
  for (let depth = 0; depth < DEEPEST && level.length && seen.size < MOST_VALUES; depth++) {
    const next: unknown[] = []
    for (const item of level) {
      if (typeof item !== "object" || item === null || seen.has(item)) continue
      seen.add(item)
      const map = attributesOf(item)
      if (item instanceof Inert && map?.get("_modules") instanceof Map) {
        found.push({ tensors: ofModule(item), module: item })
        continue
      }
      const tensors = new Map<string, Tensor>()
      for (const [key, held] of map ?? []) if (typeof key === "string" && held instanceof Tensor) tensors.set(key, held)
      if (tensors.size) found.push({ tensors })
      for (const held of map?.values() ?? (Array.isArray(item) ? item : [])) next.push(held)
    }
    level = next
  }
  return found
}

/** What a dictionary or an object's own dictionary holds. */
export function attributesOf(item: unknown): Map<unknown, unknown> | undefined {
  if (item instanceof Map) return item
  return item instanceof Inert && item.state instanceof Map ? item.state : undefined
}

/** Parameters and buffers of a module that was saved whole, named as its state_dict names them. */
function ofModule(module: Inert): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  let visits = 0 // not more than there can be modules: one that holds itself twice would go on doubling
  const walk = (item: unknown, prefix: string, depth: number) => {
    const own = attributesOf(item)
    if (!own || depth > DEEPEST || ++visits > MOST_MODULES) return
    for (const kind of ["_parameters", "_buffers"])
      for (const [key, held] of attributesOf(own.get(kind)) ?? [])
        if (held instanceof Tensor) tensors.set(`${prefix}${key}`, held)
    for (const [key, held] of attributesOf(own.get("_modules")) ?? []) walk(held, `${prefix}${key}.`, depth + 1)
  }
  walk(module, "", 0)
  return tensors
}
