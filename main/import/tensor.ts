import { fromHalf } from "../engine/float16.ts"
import { elementsOf } from "../packs/safetensors.ts"
import { ImportError } from "./error.ts"
import type { FileSource } from "./source.ts"

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

/** How numbers of a type lie in a file. */
type ElementType = { width: number; decode(data: ArrayBuffer): Float32Array }

/** By the names of PyTorch's storages. */
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

/** Whether numbers of this type can be read. */
export const isSupported = (type: string) => Object.hasOwn(types, type)

/** Bytes of a number. */
export const widthOf = ({ type }: Pick<Storage, "type">) => (types[type] as ElementType).width

/** Numbers of a tensor that says the same ones over and over, at most. */
const MOST_REPEATED = 2 ** 20

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
