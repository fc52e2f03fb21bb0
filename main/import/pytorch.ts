import { elementsOf } from "../packs/safetensors.ts"
import { ImportError } from "./error.ts"
import { Global, type Resolver, unpickle } from "./pickle.ts"
import type { FileSource } from "./source.ts"
import { isSupported, type Storage, Tensor, widthOf } from "./tensor.ts"
import { readZip, zipData } from "./zip.ts"

/** What torch.save wrote: an archive or, before PyTorch 1.6, pickles one after the other. Nothing in it is run. */

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

export function fromArchive(source: FileSource): unknown {
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

export function fromPickles(source: FileSource): unknown {
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
      if (!isSupported(named))
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
