import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Modality, modalities } from "../../contract/modality/index.ts"
import { ModelConfig, type Pack } from "../../contract/pack.ts"
import { expectedShapes } from "../engine/compile/weights.ts"
import { MAX_WEIGHTS_BYTES } from "../packs/read.ts"
import { elementsOf } from "../packs/safetensors.ts"
import { extensionOf, fromBgpt, isBgpt } from "./bgpt.ts"
import { openCheckpoint } from "./checkpoint.ts"
import { ImportError } from "./error.ts"
import { fromMegabytePytorch, isMegabytePytorch } from "./megabyte-pytorch.ts"
import type { Converted, Foreign, ImportOptions } from "./model.ts"
import { attributesOf, type Named, namedTensors } from "./named-tensors.ts"
import type { Inert } from "./pickle.ts"

export { ImportError } from "./error.ts"
export type { ImportOptions } from "./model.ts"

/** What a person says of a model that its file does not tell. */
export type Described = { name: string; file: string; license?: string | undefined }

/** Names that tell whose weights these are; what stands before them is a wrapper's. */
const MARKERS = ["start_tokens.0", "patch_level_decoder.patch_embedding.weight"]

/**
 * Makes a pack of another package's weights: reads them without running anything, and writes pack.json and
 * weights.safetensors into `folder`, which must not be there; after an error some of them may be.
 * @throws ImportError with a line for a person
 */
export function importModel(path: string, folder: string, described: Described, options: ImportOptions): void {
  const checkpoint = openCheckpoint(path)
  try {
    const converted = convert(checkpoint.value, {
      ...options,
      extension: options.extension ?? extensionOf(described.file),
    })
    const model = ModelConfig.safeParse(converted.model)
    if (!model.success)
      throw new ImportError(
        `It is of sizes that this app does not run: ${model.error.issues[0]?.message ?? "unknown"}.`,
      )
    const shapes = expectedShapes(converted.model)
    const parameters = [...shapes.values()].reduce((sum, shape) => sum + elementsOf(shape), 0)
    if (4 * parameters > MAX_WEIGHTS_BYTES) throw new ImportError("It is too large: its weights are over 8 GiB.")
    mkdirSync(folder, { mode: 0o700 })
    writeWeights(join(folder, "weights.safetensors"), shapes, converted)
    const pack = packOf(converted, described, parameters)
    writeFileSync(join(folder, "pack.json"), `${JSON.stringify(pack, null, 2)}\n`)
  } finally {
    checkpoint.close()
  }
}

/** The model in a checkpoint's value. */
function convert(value: unknown, options: ImportOptions): Converted {
  for (const { tensors, module } of namedTensors(value)) {
    const own = unwrapped(tensors)
    if (isBgpt(own)) return fromBgpt(own, options)
    if (isMegabytePytorch(own)) return fromMegabytePytorch(own, module ? { ...options, ...toldBy(module) } : options)
  }
  throw new ImportError("It holds no model of a kind that can be imported: MEGABYTE-pytorch or bGPT.")
}

/** The tensors by their package's names: without what a wrapper puts before them, such as "module.". */
function unwrapped(tensors: Named["tensors"]): Foreign {
  for (const marker of MARKERS)
    for (const name of tensors.keys()) {
      const prefix = name.slice(0, -marker.length)
      if (!name.endsWith(marker) || (prefix && !prefix.endsWith("."))) continue
      const own = [...tensors].filter(([other]) => other.startsWith(prefix))
      return new Map(own.map(([other, tensor]) => [other.slice(prefix.length), tensor]))
    }
  return tensors
}

/** What a module that was saved whole tells of itself. */
function toldBy(module: Inert): ImportOptions {
  const child = (item: unknown, name: string) => attributesOf(attributesOf(item)?.get("_modules"))?.get(name)
  const attention = ["transformers", "0", "layers", "0", "0"].reduce<unknown>(child, module)
  const heads = attributesOf(attention)?.get("heads")
  const lengths = attributesOf(module)?.get("max_seq_len")
  const context: unknown = Array.isArray(lengths) ? lengths[0] : undefined
  return {
    ...(typeof heads === "number" ? { heads } : {}),
    ...(typeof context === "number" ? { context } : {}),
  }
}

/** Writes all weights as fp32, one after the other, each made when its turn comes. */
function writeWeights(path: string, shapes: Map<string, number[]>, { weights }: Converted): void {
  let end = 0
  const header: Record<string, unknown> = {}
  for (const [name, shape] of shapes) {
    const from = end
    end += 4 * elementsOf(shape)
    header[name] = { dtype: "F32", shape, data_offsets: [from, end] }
  }
  const json = JSON.stringify(header)
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const file = openSync(path, "wx")
  try {
    writeFileSync(file, Buffer.concat([length, text]))
    for (const [name, shape] of shapes) {
      const values = weights.get(name)?.()
      if (values?.length !== elementsOf(shape)) throw new Error(`${name} was not converted`)
      if (!values.every(Number.isFinite)) throw new ImportError("It is damaged: some of its weights are not numbers.")
      writeFileSync(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
  } finally {
    closeSync(file)
  }
}

function packOf(converted: Converted, { name, file, license }: Described, parameters: number): Pack {
  const { family, model, modality, media } = converted
  const { global, local, patch } = model
  const title = file.replace(/\.[^.]*$/, "").slice(0, 80) || name
  return {
    format: 1,
    name,
    title,
    version: "imported",
    license: (license || "not told by the file; ask those who made the weights").slice(0, 200),
    modality: modality satisfies Modality,
    media: modalities[modality].format.parse(media) as Record<string, unknown>,
    data:
      `Imported from ${file.slice(0, 200)}, weights of ${family}: ${global.layers} layers of ${global.width} over patches of ` +
      `${patch} bytes, ${local.layers} of ${local.width} inside them. What they were trained on is not told by the file.`,
    model,
    storage: "fp32",
    parameters,
    // Nothing was measured: what a byte costs that nobody can predict.
    heldOut: { bitsPerByte: 8, files: {} },
    training: { imported: { family, file } },
  }
}
