import { ImportError } from "./error.ts"
import { type Converted, type Foreign, headsOf, type ImportOptions, Shapes, transposed } from "./model.ts"

/**
 * bGPT (github.com/sanderwood/bgpt, MIT): a GPT-2 over patches of one-hot bytes and a GPT-2 over the bytes of one patch, whose
 * first input is the patch's encoding. Byte 256 pads the first patch, which holds the file's ending, and ends a file.
 */

const PATCHES = "patch_level_decoder."
const BYTES = "byte_level_decoder.base."
/** Of a byte at one place in the one-hot input: 256 bytes and the padding. */
const VOCABULARY = 257

export const isBgpt = (tensors: Foreign) => tensors.has(`${PATCHES}patch_embedding.weight`)

/** What a file of this name holds, where its name is one of those that are published. */
export function extensionOf(name: string): string {
  if (/image/i.test(name)) return "bmp"
  return /audio/i.test(name) ? "wav" : "txt"
}

/** @throws ImportError where the weights are not those of a bGPT */
export function fromBgpt(tensors: Foreign, { heads, extension = "txt", modality }: ImportOptions): Converted {
  const shapes = new Shapes(tensors)
  const [width = 0, oneHot = 0] = shapes.of(`${PATCHES}patch_embedding.weight`, 2)
  const patch = oneHot / VOCABULARY
  const [context = 0] = shapes.of(`${PATCHES}base.wpe.weight`, 2)
  const [places = 0] = shapes.of(`${BYTES}transformer.wpe.weight`, 2)
  if (!Number.isInteger(patch) || places < patch)
    throw new ImportError("Its patches are not of bytes with one value for padding, as bGPT's are.")
  const ending = [...Buffer.from(extension.replace(/^\./, ""))].slice(0, patch)
  const weights: Converted["weights"] = new Map()
  const stage = (from: string, to: string) => {
    const layers = shapes.count(`${from}h.`)
    const [, ff = 0] = shapes.of(`${from}h.0.mlp.c_fc.weight`, 2)
    const copy = (name: string, source: string, size: number) =>
      weights.set(name, shapes.reader(`${from}${source}`, [size]))
    /** GPT-2 stores its matrices as [in, out]. */
    const linear = (name: string, source: string, out: number, into: number) => {
      const read = shapes.reader(`${from}${source}.weight`, [into, out])
      weights.set(`${name}.weight`, () => transposed(read(), into, out))
      copy(`${name}.bias`, `${source}.bias`, out)
    }
    const norm = (name: string, source: string) => {
      copy(`${name}.weight`, `${source}.weight`, width)
      copy(`${name}.bias`, `${source}.bias`, width)
    }
    for (let i = 0; i < layers; i++) {
      const [at, h] = [`${to}_blocks.${i}`, `h.${i}`]
      norm(`${at}.attention_norm`, `${h}.ln_1`)
      linear(`${at}.qkv`, `${h}.attn.c_attn`, 3 * width, width)
      linear(`${at}.attention_out`, `${h}.attn.c_proj`, width, width)
      norm(`${at}.ff_norm`, `${h}.ln_2`)
      linear(`${at}.ff_in`, `${h}.mlp.c_fc`, ff, width)
      linear(`${at}.ff_out`, `${h}.mlp.c_proj`, width, ff)
    }
    norm(`${to}_norm`, "ln_f")
    const count = headsOf(width, heads)
    return { width, layers, heads: count, kv_heads: count, ff }
  }
  const embedding = shapes.reader(`${PATCHES}patch_embedding.weight`, [width, oneHot])
  const bias = shapes.reader(`${PATCHES}patch_embedding.bias`, [width])
  weights.set("patch_embed.weight", () => patchTable(embedding(), bias(), ending, width, patch))
  weights.set("patch_position", shapes.reader(`${PATCHES}base.wpe.weight`, [context, width]))
  const global = stage(`${PATCHES}base.`, "global")
  const embedded = shapes.reader(`${BYTES}transformer.wte.weight`, [VOCABULARY, width])
  // The encoded patch stands in place of what begins a patch.
  weights.set("local_embed.weight", () => embedded().fill(0, 256 * width))
  const position = shapes.reader(`${BYTES}transformer.wpe.weight`, [places, width])
  weights.set("local_position", () => position().slice(0, patch * width))
  const local = stage(`${BYTES}transformer.`, "local")
  const head = shapes.has(`${BYTES}lm_head.weight`) ? `${BYTES}lm_head.weight` : `${BYTES}transformer.wte.weight`
  weights.set("head.weight", shapes.reader(head, [VOCABULARY, width]))
  return {
    family: "bGPT",
    modality: modality ?? (extension === "txt" ? "text" : "bytes"),
    media: extension === "txt" ? {} : { extension: extension.replace(/^\.?/, ".") },
    weights,
    model: {
      patch,
      global,
      local,
      context,
      window: 0,
      norm: "layernorm",
      feed_forward: "gelu_tanh",
      position: "learned",
      patch_embedder: "table",
      global_to_local: "first",
      tied_head: false,
      end_logit: true,
      bias: true,
    },
  }
}

/** [places * 257, width] of the linear layer [width, places * 257]; the padding patch is the file's ending. */
function patchTable(weight: Float32Array, bias: Float32Array, ending: number[], width: number, patch: number) {
  const table = transposed(weight, width, patch * VOCABULARY)
  const row = (place: number, byte: number) => {
    const at = (place * VOCABULARY + byte) * width
    return table.subarray(at, at + width)
  }
  ending.forEach((byte, place) => void row(place, 256).set(row(place, byte)))
  // The layer's bias once a patch: with its first byte.
  for (let byte = 0; byte < VOCABULARY; byte++) {
    const first = row(0, byte)
    for (let i = 0; i < width; i++) first[i] = (first[i] as number) + (bias[i] as number)
  }
  return table
}
