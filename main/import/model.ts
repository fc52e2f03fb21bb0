import type { Modality } from "../../contract/modality/index.ts"
import type { ModelConfig } from "../../contract/pack.ts"
import { ImportError } from "./error.ts"

/** A tensor of a foreign file: fp32, row-major, read when asked for. */
export type ForeignTensor = { shape: readonly number[]; read(): Float32Array }
/** Foreign weights by the names that their package gives them. */
export type Foreign = Map<string, ForeignTensor>

/** What a file's shapes do not tell; left out, the package's own defaults hold. */
export type ImportOptions = {
  /** Attention heads of both models. */
  heads?: number | undefined
  /** Patches that the model was trained on at once. */
  context?: number | undefined
  /** bGPT: the ending of the files that it makes, such as txt, bmp or wav. */
  extension?: string | undefined
  modality?: Modality | undefined
}

/** A foreign model in this app's own terms. */
export type Converted = {
  /** The package that it was made with. */
  family: string
  model: ModelConfig
  modality: Modality
  media: Record<string, unknown>
  /** Weights by the names of `expectedShapes`, each made when asked for. */
  weights: Map<string, () => Float32Array>
}

/** Reads foreign weights by name and checks their shapes. */
export class Shapes {
  constructor(private readonly tensors: Foreign) {}

  has(name: string): boolean {
    return this.tensors.has(name)
  }

  get(name: string): ForeignTensor {
    const found = this.tensors.get(name)
    if (!found) throw new ImportError(`It lacks the tensor ${JSON.stringify(name)}.`)
    return found
  }

  /** Sizes of a tensor of `axes` axes. */
  of(name: string, axes: number): number[] {
    const { shape } = this.get(name)
    if (shape.length !== axes || !shape.every((n) => n > 0 && n <= 65536 * 257))
      throw new ImportError(`Its tensor ${JSON.stringify(name)} is of an unexpected shape [${shape}].`)
    return [...shape]
  }

  /** How many of `prefix`0, `prefix`1, ... there are. */
  count(prefix: string): number {
    const isThere = (i: number) =>
      [...this.tensors.keys()].some((name) => name.startsWith(`${prefix}${i}.`) || name === `${prefix}${i}`)
    let count = 0
    while (count < 1000 && isThere(count)) count++
    return count
  }

  /** What reads a tensor of just this shape. */
  reader(name: string, shape: readonly number[]): () => Float32Array {
    const tensor = this.get(name)
    if (String(tensor.shape) !== String(shape))
      throw new ImportError(`Its tensor ${JSON.stringify(name)} is [${tensor.shape}], not [${shape}].`)
    return () => tensor.read()
  }
}

/** [rows, columns] -> [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c] as number
  return out
}

/** Values one after the other. */
export function joined(...parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** `heads` of a width where that is known, else one for every 64 channels, as both packages have it. */
export function headsOf(width: number, wanted: number | undefined): number {
  const heads = wanted ?? width / 64
  if (!Number.isInteger(heads) || width % heads)
    throw new ImportError(
      wanted
        ? `Its attention is ${width} wide, which ${wanted} heads do not share evenly.`
        : `Its attention is ${width} wide, so the number of heads must be given (heads).`,
    )
  return heads
}
